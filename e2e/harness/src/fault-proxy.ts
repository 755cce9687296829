import { connect, createServer, type Server, type Socket } from 'node:net';

/**
 * - `pass`: bytes go through.
 * - `stall`: nothing is read; the sender's buffers fill, as when the network hangs.
 * - `drop`: bytes are read and thrown away, so that the sender believes they arrived.
 */
export type FlowMode = 'pass' | 'stall' | 'drop';

/** Lets through what of the chunk is not to be lost. */
export type Sieve = (chunk: Buffer, connection: Socket) => Buffer;

/** One direction of all connections of a proxy. */
export class Flow {
  bytes = 0;
  /** Loses parts that only it can tell apart, such as single messages. */
  sieve: Sieve | undefined;
  private modeNow: FlowMode = 'pass';
  private toSwallow = 0;
  private readonly sources = new Set<Socket>();

  get mode(): FlowMode {
    return this.modeNow;
  }

  set mode(mode: FlowMode) {
    this.modeNow = mode;
    for (const source of this.sources) {
      if (mode === 'stall') source.pause();
      else source.resume();
    }
  }

  /** The next so many bytes disappear, then it passes again: a frame lost in the middle of a stream. */
  swallow(bytes: number): void {
    this.toSwallow += bytes;
  }

  join(from: Socket, to: Socket): void {
    this.sources.add(from);
    from.on('close', () => this.sources.delete(from));
    from.on('data', (chunk: Buffer) => {
      const rest = this.filter(chunk, from);
      if (rest.length > 0 && to.writable && !to.write(rest)) from.pause();
    });
    to.on('drain', () => {
      if (this.modeNow !== 'stall') from.resume();
    });
    from.on('end', () => to.end());
    if (this.modeNow === 'stall') from.pause();
  }

  private filter(chunk: Buffer, from: Socket): Buffer {
    this.bytes += chunk.length;
    if (this.modeNow === 'drop') return chunk.subarray(chunk.length);
    if (this.sieve) return this.sieve(chunk, from);
    const swallowed = Math.min(this.toSwallow, chunk.length);
    this.toSwallow -= swallowed;
    return chunk.subarray(swallowed);
  }
}

/** A TCP proxy on loopback that can fail in the ways in which networks do. */
export class FaultProxy {
  readonly port: number;
  readonly toServer: Flow;
  readonly toClient: Flow;
  /** New connections are closed at once. */
  refusing = false;
  private readonly server: Server;
  private readonly sockets = new Set<Socket>();
  private target: number;

  private constructor(parts: { server: Server; port: number; target: number }) {
    this.server = parts.server;
    this.port = parts.port;
    this.target = parts.target;
    this.toServer = new Flow();
    this.toClient = new Flow();
  }

  /** In front of the server on that port of loopback. */
  static async start(targetPort: number): Promise<FaultProxy> {
    const server = createServer({ allowHalfOpen: true });
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(0, '127.0.0.1', resolve);
    });
    const address = server.address();
    if (!address || typeof address === 'string') throw new Error('The proxy has no port');
    const proxy = new FaultProxy({ server, port: address.port, target: targetPort });
    server.on('connection', (client) => proxy.accept(client));
    return proxy;
  }

  /** The same address through this proxy. */
  through(url: string): string {
    const proxied = new URL(url);
    proxied.hostname = '127.0.0.1';
    proxied.port = String(this.port);
    return proxied.href;
  }

  get connections(): number {
    return this.sockets.size / 2;
  }

  /** From now on it is in front of another server; connections to the one before are reset. */
  leadTo(port: number): void {
    this.target = port;
    this.cut();
  }

  private accept(client: Socket): void {
    if (this.refusing) {
      client.destroy();
      return;
    }
    const target = connect({ port: this.target, host: '127.0.0.1', allowHalfOpen: true });
    for (const socket of [client, target]) {
      this.sockets.add(socket);
      socket.setNoDelay(true);
      socket.on('error', () => socket.destroy());
      socket.on('close', () => {
        this.sockets.delete(socket);
        // What the ended side still said is delivered: an acknowledgement that was sent counts.
        (socket === client ? target : client).destroySoon();
      });
    }
    this.toServer.join(client, target);
    this.toClient.join(target, client);
  }

  /** Both directions. */
  setMode(mode: FlowMode): void {
    this.toServer.mode = mode;
    this.toClient.mode = mode;
  }

  /** Resets every connection. New ones may come. */
  cut(): void {
    for (const socket of this.sockets) socket.resetAndDestroy();
  }

  async close(): Promise<void> {
    this.cut();
    await new Promise<void>((resolve) => this.server.close(() => resolve()));
  }
}
