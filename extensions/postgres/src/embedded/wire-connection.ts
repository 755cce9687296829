import type { Socket } from 'node:net';
import {
  CANCEL_REQUEST,
  Frontend,
  GSS_REQUEST,
  MessageSplitter,
  PROTOCOL_3,
  SSL_REQUEST,
  errorMessage,
  startupParameters,
  withStatementPrefix,
} from './frames.ts';

export interface WireConnectionOptions {
  readonly id: number;
  readonly socket: Socket;
  readonly secret: string;
  readonly welcome: Buffer;
  /** A complete exchange waits to be run. */
  readonly ready: () => void;
  readonly closed: () => void;
}

/** One client: its startup, the exchanges it has sent completely, and what it leaves in the session. */
export class WireConnection {
  /** Names, as the session knows them. */
  readonly statements = new Set<string>();
  private readonly options: WireConnectionOptions;
  private readonly splitter = new MessageSplitter();
  private readonly exchanges: Buffer[] = [];
  private pending: Buffer[] = [];
  private startup: Buffer | undefined = Buffer.alloc(0);
  private listens = false;

  constructor(options: WireConnectionOptions) {
    this.options = options;
    const { socket } = options;
    socket.setNoDelay(true);
    socket.on('data', (chunk: Buffer) => this.receive(chunk));
    // The end of a socket is reported by 'close' in every case; without a listener 'error' would be thrown.
    socket.on('error', () => undefined);
    socket.on('close', () => options.closed());
  }

  get open(): boolean {
    return !this.options.socket.destroyed;
  }

  get listening(): boolean {
    return this.listens && this.open;
  }

  get hasExchange(): boolean {
    return this.open && this.exchanges.length > 0;
  }

  listen(): void {
    this.listens = true;
  }

  take(): Buffer | undefined {
    return this.exchanges.shift();
  }

  write(frame: Buffer): void {
    if (this.options.socket.writable) this.options.socket.write(frame);
  }

  destroy(): void {
    this.options.socket.destroySoon();
  }

  private receive(chunk: Buffer): void {
    const rest = this.startup ? this.greet(chunk) : chunk;
    if (!rest) return;
    for (const frame of this.splitter.push(rest)) this.collect(frame);
  }

  /** The untyped packets at the start. Returns what follows them. */
  private greet(chunk: Buffer): Buffer | undefined {
    let bytes = Buffer.concat([this.startup ?? Buffer.alloc(0), chunk]);
    while (bytes.length >= 8 && bytes.length >= bytes.readInt32BE(0)) {
      const length = bytes.readInt32BE(0);
      const packet = bytes.subarray(0, length);
      bytes = bytes.subarray(length);
      const code = packet.readInt32BE(4);
      if (code === SSL_REQUEST || code === GSS_REQUEST) {
        this.write(Buffer.from('N'));
        continue;
      }
      if (code === CANCEL_REQUEST || code !== PROTOCOL_3) return this.refuse('08P01', 'not supported');
      if (startupParameters(packet).get('user') !== this.options.secret)
        return this.refuse('28000', 'not allowed');
      this.startup = undefined;
      this.write(this.options.welcome);
      return bytes;
    }
    this.startup = bytes;
    return undefined;
  }

  private refuse(sqlState: string, text: string): undefined {
    this.write(errorMessage('FATAL', sqlState, text));
    this.destroy();
  }

  private collect(frame: Buffer): void {
    if (frame[0] === Frontend.Terminate) {
      this.destroy();
      return;
    }
    const renamed = withStatementPrefix(frame, `${this.options.id}:`);
    if (renamed.statement && frame[0] === Frontend.Parse) this.statements.add(renamed.statement);
    this.pending.push(renamed.frame);
    if (frame[0] !== Frontend.Sync && frame[0] !== Frontend.Query && frame[0] !== Frontend.Flush) return;
    this.exchanges.push(Buffer.concat(this.pending));
    this.pending = [];
    this.options.ready();
  }
}
