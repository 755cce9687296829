import { randomBytes } from 'node:crypto';
import type { Socket } from 'node:net';
import {
  ERRORS,
  FrameType,
  toWeftError,
  WeftError,
  type Clock,
  type ErrorCode,
  type Logger,
  type Principal,
} from '@weft/common';
import { TokenBucket, type KeyedCounter } from '@weft/limits';
import type { Leaving } from '../session/client.ts';
import type { Session } from '../session/session.ts';
import { Channel, type ChannelPorts, type ChannelSocket } from './channel.ts';
import { Outbound } from '../wire/outbound.ts';
import type { GatewayWebSocket, SocketOwner } from './gateway-web-socket.ts';
import type { Peer } from './silent-peers.ts';
import {
  FrameReader,
  awarenessBody,
  encodeAddress,
  permissionDeniedBody,
  requestTokenBody,
  webSocketFrame,
} from '../wire/frames.ts';
import type { Admission } from '../opening/session-opening.ts';
import type { GatewayMetrics } from '../gateway-metrics.ts';
import type { GatewayLimits } from '../limits.ts';

/** A page that was left or a provider that was destroyed, as opposed to a connection that broke. */
const CLEAN_CLOSES = new Set([1000, 1001, 1005]);
const NONE: readonly string[] = [];
/**
 * Tokens that a connection may present, valid or not, besides one for each document that it may have open. Each costs a
 * signature: without a bound three connections that nobody knows kept a whole core busy with wrong ones.
 */
const PRESENTED = { rate: 10, burst: 100 } as const;
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
  /** Of the channels on it. */
  readonly channel: ChannelPorts;
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

/** One WebSocket. Routes inbound frames to the channels on it, bounds them, and knows whether its peer is there. */
export class ClientSocket implements ChannelSocket, Peer, SocketOwner {
  readonly id = randomBytes(9).toString('base64url');
  readonly request: Request;
  readonly openedAt: number;
  readonly out: Outbound;
  lastReceivedAt: number;
  private readonly ports: ClientSocketPorts;
  private readonly webSocket: GatewayWebSocket;
  private readonly connection: Socket;
  private readonly address: string;
  // Arrays that stay as they are grow by `concat`: spreading makes room for sixteen more.
  /** One for each address on the wire (`name` or `name\0sessionId`). Ended ones stay, so that late frames are known. */
  private channels: readonly Channel[] = [];
  /** Addresses that were closed, and whoever may still be there was asked for their token. */
  private questioned = NONE;
  /** Of the last frame: as a rule the next one's too. */
  private lastRouted: Channel | undefined;
  /** Whose sessions are on it: one person, as a rule. */
  private people: readonly string[] = [];
  private readonly presented: TokenBucket;
  private trusted = false;
  private queuedBytes = 0;
  private paused = false;
  private closed = false;

  constructor(options: ClientSocketOptions) {
    const { ports, connection } = options;
    this.ports = ports;
    this.webSocket = options.webSocket;
    this.connection = connection;
    this.request = options.request;
    this.address = options.address;
    this.openedAt = this.lastReceivedAt = ports.clock.now();
    const burst = PRESENTED.burst + ports.limits.documentsPerSocket;
    this.presented = new TokenBucket({ rate: PRESENTED.rate, burst, clock: ports.clock });
    this.out = new Outbound({ ports, connection, owner: this });
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
      const reader = new FrameReader(bytes);
      this.route(reader)?.receive(reader);
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

  private route(reader: FrameReader): Channel | undefined {
    const last = this.lastRouted;
    if (last?.isOpen && startsWith(reader.bytes, last.address)) {
      reader.offset = last.address.length;
      return last;
    }
    const address = reader.string();
    this.lastRouted =
      this.channelsOf(address).find(({ hasSaidGoodbye }) => !hasSaidGoodbye) ?? this.addChannel(address);
    if (!this.lastRouted) this.refuseOneMore(address, reader);
    return this.lastRouted;
  }

  /**
   * Answers its token alone, and keeps nothing of it. Closing the connection instead would end what is open on it, for
   * ever: the stock provider comes back with all of its documents, the one too many among them.
   */
  private refuseOneMore(address: string, reader: FrameReader): void {
    if (reader.uint() !== FrameType.Auth) return;
    this.presentsToken();
    this.ports.metrics.refusal('too-many-documents');
    this.out.send(webSocketFrame(encodeAddress(address), permissionDeniedBody('too-many-documents')));
  }

  /** `undefined`: there are as many as there may be. */
  private addChannel(address: string): Channel | undefined {
    const { limits, channel: ports } = this.ports;
    if (this.channels.length >= limits.documentsPerSocket) {
      this.keepChannels(({ ended }) => !ended);
      if (this.channels.length >= limits.documentsPerSocket) return undefined;
    }
    const predecessor = this.channelsOf(address).findLast(({ ended }) => !ended);
    const isQuestioned = this.questioned.includes(address);
    if (isQuestioned) this.questioned = this.questioned.filter((other) => other !== address);
    const channel = new Channel({ ports, socket: this, address, predecessor, isQuestioned });
    this.channels = this.channels.concat(channel);
    return channel;
  }

  private channelsOf(address: string): readonly Channel[] {
    return this.channels.filter(({ addressKey }) => addressKey === address);
  }

  freeAddress(channel: Channel): void {
    if (this.lastRouted === channel) this.lastRouted = undefined;
  }

  private keepChannels(wanted: (channel: Channel) => boolean): void {
    this.channels = this.channels.filter(wanted);
    this.lastRouted = undefined;
  }

  /**
   * The stock provider keeps the goodbye of a document that is closed while the connection is broken, and says it on the
   * next one after whoever has opened the document anew has sent their token. Nothing tells it from a goodbye of
   * theirs, and they would wait for ever: so whoever is still there is asked for their token.
   */
  closedByClient(channel: Channel): void {
    if (this.closed) return;
    this.forget(channel);
    const { addressKey, address } = channel;
    const next = this.channelsOf(addressKey).at(-1);
    if (next && !next.isWaiting) return;
    if (next) next.question();
    else this.questioned = [...this.questioned, addressKey].slice(-this.ports.limits.documentsPerSocket);
    this.out.send(webSocketFrame(address, requestTokenBody));
  }

  forget(channel: Channel): void {
    this.keepChannels((other) => other !== channel);
  }

  reopen(ended: Channel, admission: Admission): void {
    this.forget(ended);
    void this.addChannel(ended.addressKey)?.open(admission);
  }

  /** The sessions that are open on it. */
  *sessions(): Iterable<Session> {
    for (const { session } of this.channels) if (session) yield session;
  }

  /** Accounts for a frame that waits in a channel. */
  queued(bytes: number): void {
    this.queuedBytes += bytes;
    if (!this.trusted && this.queuedBytes > this.ports.limits.preAuthBytes) {
      throw new WeftError('frame-too-large');
    }
    this.pauseOrResume();
  }

  unqueued(bytes: number): void {
    this.queuedBytes -= bytes;
    this.pauseOrResume();
  }

  /** Above the bound nothing more is read from the network. */
  private pauseOrResume(): void {
    const over = this.queuedBytes > this.ports.limits.inboundQueueBytes;
    if (over === this.paused) return;
    this.paused = over;
    if (over) this.webSocket.pause();
    else this.webSocket.resume();
  }

  presentsToken(): void {
    if (!this.presented.take()) throw new WeftError('rate-limited', { detail: 'tokens' });
  }

  // ── whose it is ────────────────────────────────────────────────────────────

  admit({ tenant, user }: Principal): boolean {
    const person = `${tenant}/${user}`;
    if (this.people.includes(person)) return true;
    if (this.closed || !this.ports.people.acquire(person)) return false;
    this.people = this.people.concat(person);
    return true;
  }

  authenticated(): void {
    this.trusted = true;
  }

  /** Whether a token has been accepted on it. */
  get isAuthenticated(): boolean {
    return this.trusted;
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
    for (const { ended } of this.channels) if (!ended) return undefined;
    return this.lastReceivedAt;
  }

  /**
   * The stock provider reconnects when it has received nothing for 30 s. An empty awareness update is the one
   * frame that every version of it takes for a sign of life.
   */
  keepAlive(): void {
    this.channels.find(({ isOpen, hasSaidGoodbye }) => isOpen && !hasSaidGoodbye)?.send(EMPTY_AWARENESS);
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
    for (const channel of this.channels) channel.announceEnd(code, retryAfter);
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
    for (const channel of this.channels) channel.leave(leaving);
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

function startsWith(bytes: Uint8Array, start: Uint8Array): boolean {
  for (let i = 0; i < start.length; i++) if (bytes[i] !== start[i]) return false;
  return true;
}
