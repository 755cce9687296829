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
import type { Leaving } from '../session/client.ts';
import type { Session } from '../session/session.ts';
import type { ChannelSocket } from './channel.ts';
import { ChannelRouter, type ChannelRouterPorts } from './channel-router.ts';
import { InboundBounds, type InboundBoundsPorts } from './inbound-bounds.ts';
import { Outbound } from '../wire/outbound.ts';
import type { GatewayWebSocket, SocketOwner } from './gateway-web-socket.ts';
import type { Peer } from './silent-peers.ts';
import { FrameReader } from '../wire/frame-reader.ts';
import { awarenessBody } from '../wire/frames.ts';
import type { GatewayMetrics } from '../gateway-metrics.ts';
import type { GatewayLimits } from '../limits.ts';

/** A page that was left or a provider that was destroyed, as opposed to a connection that broke. */
const CLEAN_CLOSES = new Set([1000, 1001, 1005]);
const EMPTY_AWARENESS = awarenessBody(new Uint8Array([0]));

export interface ClientSocketPorts extends ChannelRouterPorts, InboundBoundsPorts {
  readonly clock: Clock;
  readonly limits: Pick<GatewayLimits, 'outboundBytes' | 'presenceGrace'> &
    ChannelRouterPorts['limits'] &
    InboundBoundsPorts['limits'];
  readonly logger: Logger;
  readonly metrics: Pick<GatewayMetrics, 'refusal' | 'connections'>;
  /** All that are open. */
  readonly sockets: Set<ClientSocket>;
  /** Open connections by network address. */
  readonly addresses: KeyedCounter;
  /** Open connections by person. */
  readonly people: KeyedCounter;
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

/** One WebSocket: whether its peer is there, who is on it, and how it ends. What comes in goes to its channels. */
export class ClientSocket implements ChannelSocket, Peer, SocketOwner {
  readonly id = randomBytes(9).toString('base64url');
  readonly request: Request;
  readonly openedAt: number;
  readonly out: Outbound;
  readonly inbound: InboundBounds;
  lastReceivedAt: number;
  private readonly ports: ClientSocketPorts;
  private readonly webSocket: GatewayWebSocket;
  private readonly connection: Socket;
  private readonly address: string;
  private readonly channels: ChannelRouter;
  /** Whose sessions are on it: one person, as a rule. Grown by `concat`: spreading makes room for sixteen more. */
  private people: readonly string[] = [];
  private closed = false;

  constructor(options: ClientSocketOptions) {
    const { ports, connection, webSocket } = options;
    this.ports = ports;
    this.webSocket = webSocket;
    this.connection = connection;
    this.request = options.request;
    this.address = options.address;
    this.openedAt = this.lastReceivedAt = ports.clock.now();
    this.inbound = new InboundBounds({ ports, webSocket, address: options.address });
    this.out = new Outbound({ ports, connection, owner: this });
    this.channels = new ChannelRouter({ ports, socket: this });
  }

  listen(): void {
    this.webSocket.owner = this;
  }

  // ── inbound ────────────────────────────────────────────────────────────────

  receive(bytes: Uint8Array): void {
    if (this.closed) return;
    this.lastReceivedAt = this.ports.clock.now();
    // Pong is the one frame without an address.
    if (bytes.length === 1) return;
    try {
      this.channels.receive(new FrameReader(bytes));
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

  /** The sessions that are open on it. */
  *sessions(): Iterable<Session> {
    for (const { session } of this.channels.all) if (session) yield session;
  }

  // ── whose it is ────────────────────────────────────────────────────────────

  admit({ tenant, user }: Principal): boolean {
    const person = `${tenant}/${user}`;
    if (this.people.includes(person)) return true;
    if (this.closed || !this.ports.people.acquire(person)) return false;
    this.people = this.people.concat(person);
    return true;
  }

  // ── signs of life ──────────────────────────────────────────────────────────

  get bytesRead(): number {
    return this.connection.bytesRead;
  }

  /** A sign of life below the protocol. */
  heard(): void {
    this.lastReceivedAt = this.ports.clock.now();
  }

  /** Since when no document is open on it, milliseconds since 1970. */
  get idleSince(): number | undefined {
    for (const { ended } of this.channels.all) if (!ended) return undefined;
    return this.lastReceivedAt;
  }

  /**
   * The stock provider reconnects when it has received nothing for 30 s. An empty awareness update is the one
   * frame that every version of it takes for a sign of life.
   */
  keepAlive(): void {
    this.channels.all.find(({ isOpen, hasSaidGoodbye }) => isOpen && !hasSaidGoodbye)?.send(EMPTY_AWARENESS);
  }

  ping(): void {
    if (!this.closed) this.webSocket.ping();
  }

  // ── ending ─────────────────────────────────────────────────────────────────

  get readyState(): number {
    return this.webSocket.readyState;
  }

  /** Tells every session why and when to come back, then ends the connection. */
  sendAway(code: ErrorCode, retryAfter: number): void {
    for (const channel of this.channels.all) channel.announceEnd(code, retryAfter);
    this.close(code);
  }

  /** Ends the connection with the code of the error; a retryable one makes the provider come back. */
  close(code: ErrorCode): void {
    if (this.closed) return;
    this.out.flush();
    this.webSocket.close(ERRORS[code].close, code);
    this.dispose();
  }

  /** The peer is gone without a word. The grace of its sessions began with the silence. */
  giveUp(): void {
    const graceIsOver = this.ports.clock.now() - this.lastReceivedAt >= this.ports.limits.presenceGrace;
    this.webSocket.terminate();
    this.dispose(graceIsOver ? 'at-once' : 'with-grace');
  }

  /** Ends it without a word: the peer does not read, or is not there. */
  terminate(): void {
    this.webSocket.terminate();
    this.dispose();
  }

  /** The network connection is gone, or is being closed. */
  private dispose(leaving: Leaving = 'with-grace'): void {
    if (this.closed) return;
    this.closed = true;
    this.out.close();
    for (const channel of this.channels.all) channel.leave(leaving);
    this.giveBack();
  }

  readsTooSlowly(): void {
    this.ports.metrics.refusal('slow-reader');
    this.terminate();
  }

  broken(error: Error): void {
    this.ports.logger.debug({ err: error }, 'WebSocket error');
  }

  /** The peer or the network has closed it. */
  closedByPeer(code: number): void {
    this.dispose(CLEAN_CLOSES.has(code) ? 'at-once' : 'with-grace');
    this.ports.addresses.release(this.address);
  }

  private giveBack(): void {
    if (!this.ports.sockets.delete(this)) return;
    for (const person of this.people) this.ports.people.release(person);
    this.ports.metrics.connections.set(this.ports.sockets.size);
  }
}
