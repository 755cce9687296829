import {
  AuthType,
  FrameType,
  isRetryable,
  SESSION_SEPARATOR,
  SyncType,
  toWeftError,
  WeftError,
  type Clock,
  type ErrorCode,
  type Logger,
  type Principal,
} from '@weft/common';
import type { FrameSource } from '../document/turn.ts';
import type { FrameReader } from '../wire/frames.ts';
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
  readonly out: Outbound;
  /** Counts it towards the connections of a person; `false`: it is one more than they may have. */
  admit(principal: Principal): boolean;
  /** A token has been accepted on it. */
  authenticated(): void;
  /** A token has come, whatever it is worth. @throws WeftError `rate-limited` */
  presentsToken(): void;
  queued(bytes: number): void;
  unqueued(bytes: number): void;
  /** A frame could not be handled. */
  failed(error: unknown): void;
  close(code: ErrorCode): void;
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
  /** `name` or `name\0sessionId`, as the client writes it. */
  readonly address: string;
  /** Whose address it was, and whose frames are handled before. */
  readonly predecessor?: Channel | undefined;
  /** Whether whoever may still be there after a goodbye has been asked for their token. */
  readonly isQuestioned?: boolean;
}

/**
 * One address on a socket: the Hocuspocus protocol of one provider, from its token to its end. While it is open its
 * frames are a session's, one after another.
 */
export class Channel implements OpeningClient, FrameSource, FrameTaker {
  readonly socket: ChannelSocket;
  readonly addressKey: string;
  readonly openedAt: number;
  address: Uint8Array;
  private readonly ports: ChannelPorts;
  private readonly queue = new FrameQueue(this);
  private state: State = 'waiting';
  private predecessor: Channel | undefined;
  /** The client has said goodbye; resolved when the frames that it had sent before are handled. */
  private goodbye: PromiseWithResolvers<void> | undefined;
  /** The frames that waited for the opening have been handled. */
  private hasCaughtUp = false;
  /** Its token may be that of somebody who has the document open already, and so never asks for it. */
  private isQuestioned: boolean;

  constructor({ ports, socket, address, predecessor, isQuestioned = false }: ChannelOptions) {
    this.ports = ports;
    this.socket = socket;
    this.predecessor = predecessor;
    this.isQuestioned = isQuestioned;
    this.addressKey = address;
    this.openedAt = ports.clock.now();
    this.address = encodeAddress(address);
  }

  get out(): FrameSink {
    return this.goodbye ? NOWHERE : this.socket.out;
  }

  /** Of the document. */
  get name(): string {
    const separator = this.addressKey.indexOf(SESSION_SEPARATOR);
    return separator < 0 ? this.addressKey : this.addressKey.slice(0, separator);
  }

  /** Of the session-aware provider: several sessions of one document share its socket. */
  get wireSessionId(): string | null {
    const separator = this.addressKey.indexOf(SESSION_SEPARATOR);
    return separator < 0 ? null : this.addressKey.slice(separator + 1);
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

  // ── inbound ────────────────────────────────────────────────────────────────

  receive(reader: FrameReader): void {
    const bodyAt = reader.offset;
    const type = reader.uint();
    if (type === FrameType.Auth) return this.receiveToken(reader);
    const { state, queue } = this;
    // Frames that were on their way when the session ended.
    if (state === 'ended') return;
    if (this.isQuestioned && asksForDocument(type, reader)) this.isQuestioned = false;
    const isOpen = state !== 'waiting' && state !== 'opening';
    if (isOpen && !queue.held && state.document.turn.takes(this, type, reader)) return;
    // The end of the turn may have ended the session, or left something that holds this back.
    if (this.ended) return;
    if (isOpen && !queue.held) {
      queue.handle(type, reader);
      // What waits for the end of the turn was sent before whatever comes next, which has to wait now.
      if (queue.held) state.document.turn.end();
    } else if (type === FrameType.Close) this.sayGoodbye(reader.bytes.slice(bodyAt));
    else queue.push(reader.bytes.slice(bodyAt));
  }

  /** A frame that waited for the end of the turn. */
  resume(type: number, reader: FrameReader): void {
    if (!this.isOpen) return;
    if (this.queue.held) return this.queue.push(reader.bytes.slice(reader.offset - 1));
    try {
      this.queue.handle(type, reader);
    } catch (error) {
      this.socket.failed(error);
    }
  }

  /**
   * What was sent before the goodbye is handled, the document opened for it if need be. But nobody listens any more: a page
   * that is rendered twice in a row has attached another provider under the same address by then, which would take
   * acknowledgements of other edits for its own.
   */
  private sayGoodbye(frame: Uint8Array): void {
    if (this.isWaiting) return this.giveUpWaiting();
    this.queue.push(frame);
    this.goodbye = Promise.withResolvers();
    this.session?.silence();
    this.socket.freeAddress(this);
  }

  private giveUpWaiting(): void {
    // Whoever has been asked for their token may answer yet.
    if (this.isQuestioned) return;
    this.leave('at-once');
    this.socket.forget(this);
  }

  handle(type: number, reader: FrameReader): void | Promise<void> {
    const { session } = this;
    if (session) return this.ports.frames.handle(session, type, reader);
  }

  queued(bytes: number): void {
    this.socket.queued(bytes);
  }

  unqueued(bytes: number): void {
    this.socket.unqueued(bytes);
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
    this.socket.presentsToken();
    if (reader.uint() !== AuthType.Token) throw new WeftError('frame-malformed', { detail: 'auth type' });
    const token = reader.string();
    const admission = { token, providerVersion: reader.done ? null : reader.string() };
    const { state } = this;
    if (this.isQuestioned && state !== 'ended') return this.receiveAnswer(admission);
    switch (state) {
      case 'waiting':
        void this.open(admission);
        return;
      case 'opening':
        return;
      case 'ended':
        this.socket.reopen(this, admission);
        return;
      default:
        void this.ports.opening.refresh(state, token).catch((error: unknown) => this.failed(error));
    }
  }

  /** Whoever may still have the document open has been asked for their token. */
  question(): void {
    this.isQuestioned = true;
  }

  /**
   * Who opens a document asks for it right after the token. Whoever is asked for their token once more and sends it, but
   * has not asked for the document, has it open already: the goodbye was not theirs. Only a new connection makes
   * the stock provider begin anew.
   */
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
    if (this.ended) return;
    const code = this.ports.opening.refused(this.name, reason);
    if (code === undefined) {
      this.send(permissionDeniedBody(hookReason(reason)));
      this.leave('with-grace');
    } else if (isRetryable(code)) {
      // The stock provider comes back only when the socket closes.
      this.leave('with-grace');
      this.socket.close(code);
    } else {
      this.send(permissionDeniedBody(code));
      this.leave('with-grace');
    }
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

  /** An unexpected error of one frame: a coded one ends the session, another one too, as `internal`. */
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
    this.socket.closedByClient(this);
  }
}

/** Whoever is sent away with one of these does not come back in a moment, as with a fresh copy or a new token. */
const FOR_GOOD: ReadonlySet<ErrorCode> = new Set(['access-removed', 'document-deleted']);

/** SyncStep1 with the state vector of somebody who has nothing. */
const FIRST_SYNC = Buffer.from([FrameType.Sync, SyncType.Step1, 1, 0]);

/** SyncStep1, read up to its type. */
function asksForDocument(type: number, { bytes, offset }: FrameReader): boolean {
  return type === FrameType.Sync && bytes[offset] === SyncType.Step1;
}

function isFirstSync(body: Uint8Array): boolean {
  return FIRST_SYNC.equals(body);
}

/** As Hocuspocus reads what a hook rejects with. */
function hookReason(error: unknown): string {
  const { reason } = (error ?? {}) as { readonly reason?: unknown };
  return typeof reason === 'string' ? reason : 'permission-denied';
}
