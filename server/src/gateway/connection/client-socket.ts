import { randomBytes } from 'node:crypto';
import type { Socket } from 'node:net';
import {
  ERRORS,
  toWeftError,
  WeftError,
  type Clock,
  type ErrorCode,
  type Logger,
  type Principal,
} from '@weft/common';
import type { KeyedCounter } from '@weft/limits';
import { WebSocket } from 'ws';
import { FrameReader, webSocketFrame, awarenessBody } from '../frames.ts';
import { Session, type SessionPorts } from '../session/session.ts';
import type { Admission } from '../hocuspocus/weft-hocuspocus.ts';
import type { GatewayMetrics } from '../gateway-metrics.ts';
import type { GatewayLimits } from '../limits.ts';
import type { Peer } from './silent-peers.ts';

/** Above this, several writes go out as a gathered write instead of one copied buffer. */
const COPY_LIMIT = 16 * 1024;
/** A page that was left or a provider that was destroyed, as opposed to a connection that broke. */
const CLEAN_CLOSES = new Set([1000, 1001, 1005]);
const EMPTY_AWARENESS = awarenessBody(new Uint8Array([0]));

export interface ClientSocketPorts {
  readonly clock: Clock;
  readonly limits: Pick<
    GatewayLimits,
    'documentsPerSocket' | 'outboundBytes' | 'inboundQueueBytes' | 'preAuthBytes' | 'presenceGrace'
  >;
  readonly logger: Logger;
  readonly metrics: Pick<GatewayMetrics, 'refusal' | 'connections'>;
  /** All that are open. */
  readonly sockets: Set<ClientSocket>;
  /** Open connections by network address. */
  readonly addresses: KeyedCounter;
  /** Open connections by person. */
  readonly people: KeyedCounter;
  /** Of the sessions on it. */
  readonly session: SessionPorts;
}

export interface ClientSocketOptions {
  readonly ports: ClientSocketPorts;
  readonly webSocket: GatewayWebSocket;
  /** The TCP connection below it: joined frames are written straight to it. */
  readonly connection: Socket;
  readonly request: Request;
  /** Of the network, held against its limit until the connection is closed. */
  readonly address: string;
}

/**
 * A WebSocket that tells its owner what happens to it, and nobody else: listeners, and the dictionary they are kept in,
 * would take 400 bytes of each.
 */
export class GatewayWebSocket extends WebSocket {
  owner: ClientSocket | undefined;

  override emit(event: string | symbol, ...details: unknown[]): boolean {
    const [first] = details;
    switch (event) {
      case 'message':
        this.owner?.receive(first as Buffer);
        break;
      case 'pong':
        this.owner?.heard();
        break;
      case 'close':
        this.owner?.closedByPeer(first as number);
        break;
      case 'error':
        // Followed by 'close'.
        this.owner?.broken(first as Error);
        break;
    }
    return true;
  }
}

function flush(socket: ClientSocket): void {
  socket.flush();
}

/**
 * One WebSocket. Routes inbound frames to the document sessions on it, and writes their frames out together.
 */
export class ClientSocket implements Peer {
  readonly id = randomBytes(9).toString('base64url');
  private readonly ports: ClientSocketPorts;
  readonly request: Request;
  readonly openedAt: number;
  // Arrays that stay as they are grow by `concat`: spreading makes room for sixteen more.
  /** One for each address on the wire (`name` or `name\0sessionId`). Ended ones stay, so that late frames are known. */
  sessions: readonly Session[] = [];
  lastReceivedAt: number;
  lastSentAt: number;
  authenticated = false;
  /** Bytes of states that were sent whole; they are shared buffers and don't count against the slow reader. */
  stateBytesInFlight = 0;
  /** Whose sessions are on it: one person, as a rule. */
  private people: readonly string[] = [];
  private readonly webSocket: GatewayWebSocket;
  private readonly connection: Socket;
  private readonly address: string;
  private outbox: Buffer[] = [];
  private outboxBytes = 0;
  private flushScheduled = false;
  private queuedBytes = 0;
  private paused = false;
  private closed = false;
  /** Of the last frame: as a rule the next one's too. */
  private lastRouted: Session | undefined;

  constructor(options: ClientSocketOptions) {
    this.ports = options.ports;
    this.webSocket = options.webSocket;
    this.connection = options.connection;
    this.request = options.request;
    this.address = options.address;
    this.openedAt = this.lastReceivedAt = this.lastSentAt = this.ports.clock.now();
  }

  listen(): void {
    this.webSocket.owner = this;
  }

  receive(bytes: Uint8Array): void {
    if (this.closed) return;
    this.lastReceivedAt = this.ports.clock.now();
    // Pong is the one frame without an address.
    if (bytes.length === 1) return;
    try {
      const reader = new FrameReader(bytes);
      const session = this.route(reader);
      session.receive(reader);
    } catch (error) {
      this.failed(error);
    }
  }

  /** A frame could not be handled. */
  failed(error: unknown): void {
    if (!(error instanceof WeftError)) this.ports.logger.error({ err: error }, 'frame failed');
    const { code } = toWeftError(error);
    this.ports.metrics.refusal(code);
    this.close(code);
  }

  private route(reader: FrameReader): Session {
    const last = this.lastRouted;
    if (last?.isOpen && startsWith(reader.bytes, last.address)) {
      reader.offset = last.address.length;
      return last;
    }
    const address = reader.string();
    this.lastRouted =
      this.sessions.find(({ addressKey }) => addressKey === address) ?? this.addSession(address);
    return this.lastRouted;
  }

  private addSession(address: string): Session {
    if (this.sessions.length >= this.ports.limits.documentsPerSocket) {
      this.forgetEndedSessions();
      if (this.sessions.length >= this.ports.limits.documentsPerSocket)
        throw new WeftError('too-many-documents');
    }
    const session = new Session({ ports: this.ports.session, socket: this, address });
    this.sessions = this.sessions.concat(session);
    return session;
  }

  private forgetEndedSessions(): void {
    this.sessions = this.sessions.filter(({ ended }) => !ended);
    this.lastRouted = undefined;
  }

  forgetSession(session: Session): void {
    this.sessions = this.sessions.filter((other) => other !== session);
    this.lastRouted = undefined;
  }

  enqueue(frame: Buffer): void {
    this.outbox.push(frame);
    this.outboxBytes += frame.length;
  }

  /** Queues a frame and writes it at the end of this turn of the event loop. */
  send(frame: Buffer): void {
    this.enqueue(frame);
    if (this.flushScheduled) return;
    this.flushScheduled = true;
    setImmediate(flush, this);
  }

  flush(): void {
    this.flushScheduled = false;
    if (this.outbox.length === 0) return;
    const frames = this.outbox;
    const bytes = this.outboxBytes;
    this.outbox = [];
    this.outboxBytes = 0;
    if (this.closed || !this.connection.writable) return;
    this.lastSentAt = this.ports.clock.now();
    if (frames.length === 1 && frames[0]) this.connection.write(frames[0]);
    else if (bytes <= COPY_LIMIT) this.connection.write(Buffer.concat(frames, bytes));
    else this.writeGathered(frames);
    this.checkBackpressure();
  }

  private writeGathered(frames: readonly Buffer[]): void {
    this.connection.cork();
    for (const frame of frames) this.connection.write(frame);
    this.connection.uncork();
  }

  private checkBackpressure(): void {
    const { writableLength } = this.connection;
    if (writableLength === 0) this.stateBytesInFlight = 0;
    if (writableLength - this.stateBytesInFlight <= this.ports.limits.outboundBytes) return;
    this.ports.metrics.refusal('slow-reader');
    this.terminate();
  }

  /** Resolves when everything written so far has left for the network, or the socket is gone. */
  drained(): Promise<void> {
    if (!this.congested || this.connection.destroyed) return Promise.resolve();
    return new Promise((resolve) => {
      const done = () => {
        this.connection.off('drain', done);
        this.connection.off('close', done);
        this.stateBytesInFlight = 0;
        resolve();
      };
      this.connection.once('drain', done);
      this.connection.once('close', done);
    });
  }

  get bytesRead(): number {
    return this.connection.bytesRead;
  }

  get readyState(): number {
    return this.webSocket.readyState;
  }

  get congested(): boolean {
    return this.connection.writableNeedDrain;
  }

  /** Accounts for frames that wait in sessions, and stops reading from the network above the bound. */
  addQueuedBytes(delta: number): void {
    this.queuedBytes += delta;
    const { inboundQueueBytes, preAuthBytes } = this.ports.limits;
    if (!this.authenticated && this.queuedBytes > preAuthBytes) throw new WeftError('frame-too-large');
    const over = this.queuedBytes > inboundQueueBytes;
    if (over === this.paused) return;
    this.paused = over;
    if (over) this.webSocket.pause();
    else this.webSocket.resume();
  }

  /**
   * The stock provider reconnects when it has received nothing for 30 s. An empty awareness update is the one
   * frame that every version of it takes for a sign of life.
   */
  keepAlive(): void {
    const session = this.sessions.find((candidate) => candidate.isOpen);
    if (session) this.send(webSocketFrame(session.address, EMPTY_AWARENESS));
  }

  ping(): void {
    if (!this.closed) this.webSocket.ping();
  }

  /** Tells every session why and when to come back, then ends the connection. */
  sendAway(code: ErrorCode, retryAfter: number): void {
    for (const session of this.sessions) session.announceEnd(code, retryAfter);
    this.close(code);
  }

  /** Ends the connection with the code of the error; a retryable one makes the provider come back. */
  close(code: ErrorCode): void {
    if (this.closed) return;
    this.flush();
    this.webSocket.close(ERRORS[code].close, code);
    this.dispose();
  }

  /** The peer is gone without a word. The grace of its sessions began with the silence. */
  giveUp(): void {
    const graceIsOver = this.ports.clock.now() - this.lastReceivedAt >= this.ports.limits.presenceGrace;
    for (const session of this.sessions) session.leavesAtOnce ||= graceIsOver;
    this.terminate();
  }

  /** Ends it without a word: the peer does not read, or is not there. */
  terminate(): void {
    this.webSocket.terminate();
    this.dispose();
  }

  /** The network connection is gone, or is being closed. */
  dispose(): void {
    if (this.closed) return;
    this.closed = true;
    for (const session of this.sessions) session.disconnected();
    this.forget();
  }

  /** Counts the socket towards the connections of a person; refuses one more than they may have. */
  admit({ tenant, user }: Principal): boolean {
    const person = `${tenant}/${user}`;
    if (this.people.includes(person)) return true;
    if (this.closed || !this.ports.people.acquire(person)) return false;
    this.people = this.people.concat(person);
    return true;
  }

  private forget(): void {
    if (!this.ports.sockets.delete(this)) return;
    for (const person of this.people) this.ports.people.release(person);
    this.ports.metrics.connections.set(this.ports.sockets.size);
  }

  /** Since when no document is open on it, milliseconds since 1970. */
  get idleSince(): number | undefined {
    for (const session of this.sessions) if (!session.ended) return undefined;
    return this.lastReceivedAt;
  }

  broken(error: Error): void {
    this.ports.logger.debug({ err: error }, 'WebSocket error');
  }

  /** A sign of life below the protocol. */
  heard(): void {
    this.lastReceivedAt = this.ports.clock.now();
  }

  /** Opens a session anew under the address of one that has ended. */
  reopen(ended: Session, admission: Admission): void {
    this.forgetSession(ended);
    const session = this.addSession(ended.addressKey);
    void session.open(admission);
  }

  /** The peer or the network has closed it. */
  closedByPeer(code: number): void {
    const clean = CLEAN_CLOSES.has(code);
    for (const session of this.sessions) session.leavesAtOnce ||= clean;
    this.dispose();
    this.ports.addresses.release(this.address);
  }
}

function startsWith(bytes: Uint8Array, start: Uint8Array): boolean {
  for (let i = 0; i < start.length; i++) if (bytes[i] !== start[i]) return false;
  return true;
}
