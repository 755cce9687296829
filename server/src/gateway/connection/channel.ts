import {
  FrameType,
  isRetryable,
  toWeftError,
  type Clock,
  type ErrorCode,
  type Logger,
  type Principal,
} from '@weft/common';
import type { FrameReader } from '../wire/frame-reader.ts';
import {
  closeBody,
  encodeAddress,
  permissionDeniedBody,
  requestTokenBody,
  webSocketFrame,
  type FrameBody,
} from '../wire/frames.ts';
import type { GatewayMetrics } from '../gateway-metrics.ts';
import { closedBody } from '../wire/messages.ts';
import type { Admission, OpeningClient, SessionOpening } from '../opening/session-opening.ts';
import type { Leaving } from '../session/client.ts';
import type { Session } from '../session/session.ts';
import type { FrameHandler } from './frame-handler.ts';
import { FrameQueue, type FrameTaker } from './frame-queue.ts';
import type { InboundBounds } from './inbound-bounds.ts';
import type { LateGoodbyes } from './late-goodbyes.ts';
import { asksForDocument, isFirstSync, parseAddress, readToken } from '../wire/inbound-frames.ts';
import { NOWHERE, type FrameSink, type Outbound } from '../wire/outbound.ts';

/** A channel waits for its token, opens its document, is a session's, and ends; it never goes back. */
type State = 'waiting' | 'opening' | Session | 'ended';

export interface ChannelPorts {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Pick<GatewayMetrics, 'refusal'>;
  readonly opening: SessionOpening;
  readonly frames: FrameHandler;
}

/** What a channel needs of the socket that it shares with others. */
export interface ChannelSocket {
  readonly id: string;
  readonly request: Request;
  readonly readyState: number;
  readonly inbound: InboundBounds;
  readonly out: Outbound;
  /** Counts it towards the connections of a person; `false`: it is one more than they may have. */
  admit(principal: Principal): boolean;
  /** A frame could not be handled. */
  failed(error: unknown): void;
  close(code: ErrorCode): void;
}

/** The other channels on its socket, some of which have had or will have its address. */
export interface Neighbours {
  readonly goodbyes: LateGoodbyes;
  forget(channel: Channel): void;
  /** Its client has closed it, as far as is known, and all that it had sent is handled. */
  closedByClient(channel: Channel): void;
  /** The next frame under its address is for another. */
  freeAddress(channel: Channel): void;
  /** Opens a session anew under the address of one that has ended. */
  reopen(ended: Channel, admission: Admission): void;
}

export interface ChannelOptions {
  readonly ports: ChannelPorts;
  readonly socket: ChannelSocket;
  readonly neighbours: Neighbours;
  /** `name` or `name\0sessionId`, as the client writes it. */
  readonly address: string;
  /** Whose address it was, and whose frames are handled before. */
  readonly predecessor?: Channel | undefined;
}

/**
 * One address on a socket: the Hocuspocus protocol of one provider, from its token to its end. While it is open its
 * frames are a session's, one after another.
 */
export class Channel implements OpeningClient, FrameTaker {
  readonly socket: ChannelSocket;
  readonly addressKey: string;
  readonly openedAt: number;
  address: Uint8Array;
  private readonly ports: ChannelPorts;
  private readonly neighbours: Neighbours;
  private readonly queue: FrameQueue;
  private state: State = 'waiting';
  private predecessor: Channel | undefined;
  /** The client has said goodbye; resolved when the frames that it had sent before are handled. */
  private goodbye: PromiseWithResolvers<void> | undefined;
  /** The frames that waited for the opening have been handled. */
  private hasCaughtUp = false;

  constructor({ ports, socket, neighbours, address, predecessor }: ChannelOptions) {
    this.ports = ports;
    this.socket = socket;
    this.neighbours = neighbours;
    this.predecessor = predecessor;
    this.queue = new FrameQueue(this, socket.inbound);
    this.addressKey = address;
    this.openedAt = ports.clock.now();
    this.address = encodeAddress(address);
  }

  get out(): FrameSink {
    return this.goodbye ? NOWHERE : this.socket.out;
  }

  /** Of the document. */
  get name(): string {
    return parseAddress(this.addressKey).name;
  }

  /** Of the session-aware provider: several sessions of one document share its socket. */
  get wireSessionId(): string | null {
    return parseAddress(this.addressKey).sessionId;
  }

  get session(): Session | undefined {
    return typeof this.state === 'object' ? this.state : undefined;
  }

  get isWaiting(): boolean {
    return this.state === 'waiting';
  }

  get isOpen(): boolean {
    return typeof this.state === 'object';
  }

  get ended(): boolean {
    return this.state === 'ended';
  }

  /** What was sent before is still handled, but its address is free. */
  get hasSaidGoodbye(): boolean {
    return this.goodbye !== undefined;
  }

  /** Its token may be that of somebody who has the document open already, and so never asks for it. */
  private get isQuestioned(): boolean {
    return this.neighbours.goodbyes.isAsked(this.addressKey);
  }

  // ── inbound ────────────────────────────────────────────────────────────────

  receive(reader: FrameReader): void {
    const type = reader.type();
    if (type === FrameType.Auth) return this.receiveToken(reader);
    // It was on its way when the session ended.
    if (this.ended) return;
    if (asksForDocument(type, reader)) this.neighbours.goodbyes.settle(this.addressKey);
    if (type === FrameType.Close) return this.receiveGoodbye(reader);
    const { session } = this;
    if (session) this.queue.take(session.document.turn, type, reader);
    else this.queue.push(reader.fromType);
  }

  private receiveGoodbye(reader: FrameReader): void {
    const { turn } = this.session?.document ?? {};
    // What was sent before it may end the session, or hold the goodbye back.
    turn?.end();
    if (this.ended) return;
    if (this.isWaiting) this.giveUpWaiting();
    else if (turn && !this.queue.held) this.queue.take(turn, FrameType.Close, reader);
    else this.sayGoodbye(reader.fromType);
  }

  private giveUpWaiting(): void {
    // Whoever has been asked for their token may answer yet.
    if (this.isQuestioned) return;
    this.leave('at-once');
    this.neighbours.forget(this);
  }

  /**
   * What was sent before the goodbye is handled, the document opened for it if need be. But nobody listens any more: a page
   * that is rendered twice in a row has attached another provider under the same address by then, which would take
   * acknowledgements of other edits for its own.
   */
  private sayGoodbye(frame: Uint8Array): void {
    this.queue.push(frame);
    this.goodbye = Promise.withResolvers();
    this.session?.silence();
    this.neighbours.freeAddress(this);
  }

  handle(type: number, reader: FrameReader): void | Promise<void> {
    const { session } = this;
    if (session) return this.ports.frames.handle(session, type, reader);
  }

  failedAtOnce(error: unknown): void {
    this.socket.failed(error);
  }

  caughtUp(): void {
    if (this.hasCaughtUp || !this.session) return;
    this.hasCaughtUp = true;
    this.ports.opening.caughtUp(this.session);
  }

  /** Whether the client has asked for the whole document, and waits. */
  get awaitsEverything(): boolean {
    return this.state === 'opening' && this.queue.frames.some(isFirstSync);
  }

  // ── opening ────────────────────────────────────────────────────────────────

  private receiveToken(reader: FrameReader): void {
    this.socket.inbound.presentsToken();
    const admission = readToken(reader);
    const { state } = this;
    if (this.isQuestioned && state !== 'ended') return this.receiveAnswer(admission);
    switch (state) {
      case 'waiting':
        void this.open(admission);
        return;
      case 'opening':
        return;
      case 'ended':
        this.neighbours.reopen(this, admission);
        return;
      default:
        void this.refresh(state, admission);
    }
  }

  private async refresh(session: Session, { token }: Admission): Promise<void> {
    try {
      await this.ports.opening.refresh(session, token);
    } catch (error) {
      this.socket.inbound.refusedWith(toWeftError(error).code);
      this.failed(error);
    }
  }

  /** The token of somebody who may have the document open already. @see LateGoodbyes */
  private receiveAnswer(admission: Admission): void {
    if (!this.isWaiting) return this.socket.close('session-lost');
    void this.open(admission);
    setImmediate(() => {
      if (this.isQuestioned && !this.ended) this.send(requestTokenBody);
    });
  }

  async open(admission: Admission): Promise<void> {
    this.state = 'opening';
    try {
      if (this.predecessor) await this.follow(this.predecessor);
      if (!this.ended) await this.ports.opening.open(this, admission);
    } catch (error) {
      this.refuse(error);
    }
  }

  private async follow(predecessor: Channel): Promise<void> {
    await predecessor.goodbye?.promise;
    this.predecessor = undefined;
  }

  /** The document is there: frames that waited are handled now. */
  enter(session: Session): void {
    this.state = session;
    this.address = session.document.sharedAddress(this);
    session.document.sessions.add(session);
    this.ports.opening.entered(session, this.queue.frames);
    this.queue.drain();
  }

  private refuse(reason: unknown): void {
    this.socket.inbound.refusedWith(toWeftError(reason).code);
    if (this.ended) return;
    const { code, said } = this.ports.opening.refused(this.name, reason);
    const mayComeBack = code !== undefined && isRetryable(code);
    if (!mayComeBack) this.send(permissionDeniedBody(said));
    this.leave('with-grace');
    // The stock provider comes back only when the socket closes.
    if (mayComeBack) this.socket.close(code);
  }

  // ── outbound ───────────────────────────────────────────────────────────────

  send(body: FrameBody): void {
    this.out.send(webSocketFrame(this.address, body));
  }

  /** Tells why the socket is about to close. `retryAfter`: milliseconds. */
  announceEnd(code: ErrorCode, retryAfter: number): void {
    if (!this.ended) this.send(closedBody(code, { retryAfter }));
  }

  // ── ending ─────────────────────────────────────────────────────────────────

  /** A frame that had waited could not be handled: a coded one ends the session, another one too, as `internal`. */
  failed(error: unknown): void {
    const known = toWeftError(error);
    if (known.code === 'internal') {
      this.ports.logger.error({ err: error, document: this.name }, 'a frame could not be handled');
    }
    this.end(known.code);
  }

  end(code: ErrorCode): void {
    // What it has sent is answered before the end, and may bring it about.
    this.session?.document.turn.end();
    if (this.ended) return;
    this.ports.metrics.refusal(code);
    if (isRetryable(code)) {
      this.socket.close(code);
      return;
    }
    this.send(closedBody(code));
    this.send(permissionDeniedBody(code));
    this.leave(FOR_GOOD.has(code) ? 'at-once' : 'with-grace');
    this.send(closeBody(code));
  }

  closedByClient(): void {
    this.goodbye ??= Promise.withResolvers();
    this.leave('at-once');
  }

  closedByHook(reason: string): void {
    if (this.ended) return;
    this.leave('with-grace');
    this.send(closeBody(reason));
  }

  /** The session is over, if there was one. */
  leave(leaving: Leaving): void {
    // What it has sent counts, also when it closed in the same moment.
    this.session?.document.turn.end();
    const { session } = this;
    if (this.ended) return;
    this.state = 'ended';
    this.queue.clear();
    if (session) this.ports.opening.left(session, leaving);
    if (!this.goodbye) return;
    this.goodbye.resolve();
    this.neighbours.closedByClient(this);
  }
}

/** Whoever is sent away with one of these does not come back in a moment, as with a fresh copy or a new token. */
const FOR_GOOD: ReadonlySet<ErrorCode> = new Set(['access-removed', 'document-deleted']);
