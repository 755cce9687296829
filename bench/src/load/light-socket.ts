import { randomBytes } from 'node:crypto';
import { connect, type Socket } from 'node:net';
import { FrameAssembler, maskedFrame, Opcode } from './web-socket-frames.ts';

export interface LightSocketListener {
  opened(): void;
  /**
   * @param message read-only and only now: what the next one is read into. Cut off after {@link LightSocket.keptBytes}
   * @param length of the whole message
   */
  message(message: Buffer, length: number): void;
  /** Once, also when it could not be opened. */
  closed(reason: string): void;
}

/** Every socket of the process is read into it, one after another. */
const READ_INTO = Buffer.allocUnsafe(1024 * 1024);
const CLOSE_PATIENCE_MS = 2_000;
const NORMAL_CLOSURE = Buffer.from([1000 >> 8, 1000 & 0xff]);
const END_OF_HEAD = '\r\n\r\n';

/**
 * A WebSocket client (RFC 6455) that costs next to nothing for what it is sent. A library's reads 64 kB at a time, each
 * into memory of its own, and puts the messages together: for 150 people who open 20 MB that takes several times what
 * the server does, and would be what is measured. Here all read into one buffer, and of messages that nobody looks into
 * only the beginning is kept.
 */
export class LightSocket {
  /** Bytes of a message that are kept for the listener. */
  keptBytes = Number.POSITIVE_INFINITY;
  private readonly listener: LightSocketListener;
  private readonly socket: Socket;
  private readonly frames: FrameAssembler;
  private readonly ended = Promise.withResolvers<void>();
  /** What has come so far of the answer to the upgrade; then nothing. */
  private head: Buffer | undefined = Buffer.alloc(0);
  private reason = 'the connection broke';

  constructor(url: string, listener: LightSocketListener) {
    this.listener = listener;
    this.frames = new FrameAssembler({
      keptBytes: () => this.keptBytes,
      frame: (opcode, payload, length) => this.receive(opcode, payload, length),
    });
    const { hostname, port, host, pathname } = new URL(url);
    this.socket = connect({
      host: hostname,
      port: Number(port),
      noDelay: true,
      onread: { buffer: READ_INTO, callback: (length) => this.read(READ_INTO.subarray(0, length)) },
    });
    this.socket.on('connect', () => this.socket.write(upgradeRequest(host, pathname)));
    this.socket.on('error', (error) => (this.reason = error.message));
    this.socket.on('close', () => {
      this.ended.resolve();
      this.listener.closed(this.reason);
    });
  }

  send(message: Uint8Array): void {
    this.write(Opcode.Binary, message);
  }

  /** Resolves when the server has closed it, too. */
  async close(): Promise<void> {
    if (this.socket.destroyed) return;
    this.write(Opcode.Close, NORMAL_CLOSURE);
    const timer = setTimeout(() => this.socket.destroy(), CLOSE_PATIENCE_MS);
    await this.ended.promise;
    clearTimeout(timer);
  }

  private write(opcode: number, payload: Uint8Array): void {
    if (this.socket.writable) this.socket.write(maskedFrame(opcode, payload));
  }

  private read(chunk: Buffer): boolean {
    const frames = this.head ? this.readHead(Buffer.concat([this.head, chunk])) : chunk;
    if (frames) this.frames.add(frames);
    return true;
  }

  /** @returns what follows the head, when all of that is there. */
  private readHead(bytes: Buffer): Buffer | undefined {
    this.head = bytes;
    const end = bytes.indexOf(END_OF_HEAD);
    if (end < 0) return undefined;
    this.head = undefined;
    const status = bytes.toString('latin1', 0, bytes.indexOf('\r\n'));
    if (status.startsWith('HTTP/1.1 101')) {
      this.listener.opened();
      return bytes.subarray(end + END_OF_HEAD.length);
    }
    this.reason = status;
    this.socket.destroy();
    return undefined;
  }

  private receive(opcode: number, payload: Buffer, length: number): void {
    switch (opcode) {
      case Opcode.Binary:
        this.listener.message(payload, length);
        break;
      case Opcode.Ping:
        this.write(Opcode.Pong, payload);
        break;
      case Opcode.Close:
        this.reason = `closed with ${length < 2 ? 'no code' : payload.readUInt16BE()} ${payload.toString('utf8', 2)}`;
        this.write(Opcode.Close, payload.subarray(0, 2));
        this.socket.end();
        break;
      default:
        this.reason = `a frame with opcode ${opcode}`;
        this.socket.destroy();
    }
  }
}

function upgradeRequest(host: string, path: string): string {
  const headers = [
    `Host: ${host}`,
    'Connection: Upgrade',
    'Upgrade: websocket',
    'Sec-WebSocket-Version: 13',
    `Sec-WebSocket-Key: ${randomBytes(16).toString('base64')}`,
  ];
  return `GET ${path} HTTP/1.1\r\n${headers.join('\r\n')}${END_OF_HEAD}`;
}
