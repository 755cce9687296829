import { createServer, type Server, type Socket } from 'node:net';
import { WireConnection } from './wire-connection.ts';
import { errorMessage, queryMessage, welcome } from './frames.ts';
import { runExchange, type ExchangeEvents, type RawSession } from './session.ts';

export interface WireServerOptions {
  readonly session: RawSession;
  /** The `user` a client must name: nobody else's process on this machine can guess it. */
  readonly secret: string;
  /** Sent to each client at the start, such as `server_version`. */
  readonly parameters: Readonly<Record<string, string>>;
  /** Milliseconds after which a transaction that does nothing is rolled back and its connection closed. */
  readonly idleInTransactionMs: number;
}

/**
 * Lets many clients share the one session of an embedded Postgres, over the ordinary wire protocol.
 *
 * The unit of sharing is the exchange: everything up to a Sync or a simple Query runs without anybody in between,
 * and once it leaves a transaction open that connection alone is served until the transaction ends. Queueing
 * single messages instead (as pglite-socket 0.2 does) lets one connection's Bind meet another's unnamed
 * statement, and shares the names of prepared statements. Transactions are therefore serial: a client that
 * waits, inside a transaction, for a query on another connection would wait for ever; the idle limit ends that.
 */
export class WireServer {
  private readonly options: WireServerOptions;
  private readonly connections = new Set<WireConnection>();
  private readonly waiting: WireConnection[] = [];
  private readonly server: Server;
  private owner: WireConnection | undefined;
  private ownerTimer: NodeJS.Timeout | undefined;
  private running = false;
  private opened = 0;

  constructor(options: WireServerOptions) {
    this.options = options;
    this.server = createServer((socket) => this.accept(socket));
  }

  /** Listens on a path or a port of loopback, 0 for a free one; resolves with the port, 0 for a path. */
  listen(at: string | number): Promise<number> {
    return new Promise((resolve, reject) => {
      this.server.once('error', reject);
      const listening = () => {
        const address = this.server.address();
        resolve(typeof address === 'object' && address ? address.port : 0);
      };
      if (typeof at === 'string') this.server.listen(at, listening);
      else this.server.listen(at, '127.0.0.1', listening);
    });
  }

  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.server.close(() => resolve()));
    for (const connection of this.connections) connection.destroy();
    await closed;
  }

  /** Runs SQL of the server's own, between exchanges and outside every client's transaction. */
  get idle(): boolean {
    return !this.running && !this.owner && this.waiting.length === 0;
  }

  private accept(socket: Socket): void {
    const id = ++this.opened;
    const connection = new WireConnection({
      id,
      socket,
      secret: this.options.secret,
      welcome: welcome(id, this.options.parameters),
      ready: () => this.enqueue(connection),
      closed: () => this.enqueue(connection),
    });
    this.connections.add(connection);
  }

  private enqueue(connection: WireConnection): void {
    if (!this.waiting.includes(connection)) this.waiting.push(connection);
    if (!this.running) void this.serve();
  }

  private next(): WireConnection | undefined {
    if (!this.owner) return this.waiting.shift();
    const index = this.waiting.indexOf(this.owner);
    return index < 0 ? undefined : this.waiting.splice(index, 1)[0];
  }

  private async serve(): Promise<void> {
    this.running = true;
    try {
      for (let turn = this.next(); turn; turn = this.next()) {
        if (turn.open) await this.step(turn);
        else await this.forget(turn);
        // Sockets are read between two exchanges, else answers of a long queue would all leave at its end.
        await new Promise((resolve) => setImmediate(resolve));
      }
    } finally {
      this.running = false;
    }
  }

  private async step(connection: WireConnection): Promise<void> {
    const exchange = connection.take();
    if (!exchange) return;
    clearTimeout(this.ownerTimer);
    try {
      const state = await runExchange(this.options.session, exchange, this.events(connection));
      // Without a ReadyForQuery (after a Flush) the exchange goes on: nobody else may come in between.
      this.owner = state === 'idle' ? undefined : connection;
      if (this.owner) this.watch(this.owner);
    } catch (error) {
      const text = error instanceof Error ? error.message : String(error);
      connection.write(errorMessage('FATAL', 'XX000', text));
      connection.destroy();
    }
    if (connection.hasExchange) this.enqueue(connection);
  }

  /** Ends what a closed connection leaves in the session: its transaction and its prepared statements. */
  private async forget(connection: WireConnection): Promise<void> {
    if (!this.connections.delete(connection)) return;
    const silent: ExchangeEvents = {
      answer() {},
      notification: (frame) => this.notify(frame),
      listening() {},
    };
    const run = (sql: string) => runExchange(this.options.session, queryMessage(sql), silent);
    if (this.owner === connection) {
      clearTimeout(this.ownerTimer);
      await run('ROLLBACK');
      this.owner = undefined;
    }
    for (const statement of connection.statements)
      await run(`DEALLOCATE "${statement.replaceAll('"', '""')}"`);
  }

  private events(connection: WireConnection): ExchangeEvents {
    return {
      answer: (frame) => connection.write(frame),
      notification: (frame) => this.notify(frame),
      listening: () => connection.listen(),
    };
  }

  private notify(frame: Buffer): void {
    for (const connection of this.connections) if (connection.listening) connection.write(frame);
  }

  private watch(owner: WireConnection): void {
    this.ownerTimer = setTimeout(() => {
      owner.write(
        errorMessage('FATAL', '25P03', 'terminating connection due to idle-in-transaction timeout'),
      );
      owner.destroy();
    }, this.options.idleInTransactionMs);
    this.ownerTimer.unref();
  }
}
