import { randomBytes } from 'node:crypto';
import {
  AuthType,
  FrameType,
  isDocumentName,
  documentKey,
  isRetryable,
  ERRORS,
  SESSION_SEPARATOR,
  SyncType,
  toWeftError,
  WeftError,
  type DocumentKey,
  type ErrorCode,
  type Principal,
} from '@weft/common';
import type { Access } from '@weft/authorize';
import type { Connection } from '@hocuspocus/server';
import { TokenBucket } from '@weft/limits';
import * as encoding from 'lib0/encoding';
import { Acknowledgements } from './acknowledgements.ts';
import type { ClientSocket } from './client-socket.ts';
import type { Receiver } from './fan-out.ts';
import {
  closeBody,
  encodeAddress,
  permissionDeniedBody,
  requestTokenBody,
  serverEventBody,
  syncStatusBody,
  webSocketFrame,
  type FrameBody,
  FrameReader,
} from './frames.ts';
import type { LiveDocument } from './live-document.ts';

/** A session waits for its token, opens its document, is open, and ends; it never goes back. */
type State =
  | { readonly name: 'waiting' }
  | { readonly name: 'opening'; readonly finish: () => void }
  | { readonly name: 'open'; readonly connection: Connection }
  | { readonly name: 'ended' };

export interface SessionOptions {
  readonly socket: ClientSocket;
  /** `name` or `name\0sessionId`, as the client writes it. */
  readonly address: string;
}

/**
 * One document open on one socket: the Hocuspocus protocol of one provider. It takes the frames one after
 * another; while one of them waits for something (the token's check, the database), those after it queue.
 */
export class Session implements Receiver {
  /** In every row this session writes. */
  readonly id = randomBytes(9).toString('base64url');
  /** Milliseconds since 1970. */
  readonly openedAt: number;
  readonly socket: ClientSocket;
  readonly addressKey: string;
  readonly address: Uint8Array;
  readonly name: string;
  readonly acknowledgements: Acknowledgements;
  readonly updateBudget: TokenBucket;
  readonly awarenessBudget: TokenBucket;
  readonly syncBudget: TokenBucket;
  /** Refused edits that are undone for everybody instead of ending the session. */
  readonly repairBudget: TokenBucket;
  /** Set from the token on; the session never changes its person. */
  principal!: Principal;
  access!: Access;
  /** Set while open. */
  document!: LiveDocument;
  /** The Yjs transaction origin of everything this session writes. */
  origin!: { readonly source: 'connection'; readonly connection: Connection };
  /** Yjs clients it has spoken for. */
  readonly clients = new Set<number>();
  /** Updates that were no Yjs updates; the third ends the session. */
  malformed = 0;
  /** Updates in a row that referred to unknown edits. */
  missing = 0;
  /** When its rights were last reduced, milliseconds since 1970: edits already on their way are undone gently. */
  demotedAt = 0;
  tokenRequested = false;
  /** Whether {@link SessionOpening.prepare} has taken what `left` gives back. */
  prepared = false;
  /** Whether the client said goodbye, as opposed to a connection that broke. */
  leftCleanly = false;
  /** The newest awareness frame over the rate. */
  deferredAwareness: Uint8Array | undefined;
  private state: State = { name: 'waiting' };
  private queue: Uint8Array[] = [];
  private busy = false;
  private opened: Promise<void> | undefined;

  constructor({ socket, address }: SessionOptions) {
    this.socket = socket;
    this.addressKey = address;
    this.address = encodeAddress(address);
    const separator = address.indexOf(SESSION_SEPARATOR);
    this.name = separator < 0 ? address : address.slice(0, separator);
    this.acknowledgements = new Acknowledgements((saved) => this.enqueue(this.frame(syncStatusBody(saved))));
    const { clock, rates } = socket.core;
    this.openedAt = clock.now();
    this.updateBudget = new TokenBucket(rates.updates);
    this.awarenessBudget = new TokenBucket(rates.awareness);
    this.syncBudget = new TokenBucket(rates.syncs);
    this.repairBudget = new TokenBucket(rates.repairs);
  }

  get key(): DocumentKey {
    return documentKey(this.principal.tenant, this.name);
  }

  get isOpen(): boolean {
    return this.state.name === 'open';
  }

  get ended(): boolean {
    return this.state.name === 'ended';
  }

  /** Resolves when Hocuspocus has opened the session or refused it. */
  get openingDone(): Promise<void> {
    return this.opened ?? Promise.resolve();
  }

  // ── inbound ────────────────────────────────────────────────────────────────

  receive(reader: FrameReader): void {
    const bodyAt = reader.offset;
    const type = reader.uint();
    if (type === FrameType.Auth) {
      this.receiveToken(reader);
      return;
    }
    switch (this.state.name) {
      case 'open':
        break;
      case 'waiting':
      case 'opening':
        this.enqueueInbound(reader.bytes.slice(bodyAt));
        return;
      case 'ended':
        // Frames that were on their way when the session ended.
        return;
    }
    if (this.busy) this.enqueueInbound(reader.bytes.slice(bodyAt));
    else this.dispatch(type, reader);
  }

  private enqueueInbound(body: Uint8Array): void {
    this.queue.push(body);
    this.socket.addQueuedBytes(body.length);
  }

  private dispatch(type: number, reader: FrameReader): void {
    const outcome = this.handle(type, reader);
    if (outcome) this.hold(outcome);
  }

  /** Lets the following frames queue until `work` is over. */
  private hold(work: Promise<void>): void {
    this.busy = true;
    work.catch(this.failed).finally(() => {
      this.busy = false;
      this.drainQueue();
    });
  }

  private drainQueue(): void {
    while (this.queue.length > 0 && !this.busy && this.isOpen) {
      const body = this.queue.shift() as Uint8Array;
      this.socket.addQueuedBytes(-body.length);
      try {
        const reader = new FrameReader(body);
        this.dispatch(reader.uint(), reader);
      } catch (error) {
        this.failed(error);
      }
    }
  }

  private handle(type: number, reader: FrameReader): void | Promise<void> {
    const { userHooks } = this.socket.core.hocuspocus;
    if (!userHooks.has('beforeHandleMessage')) return this.handleAllowed(type, reader);
    const body = reader.bytes.subarray(reader.offset - 1);
    return userHooks.beforeMessage(this.origin.connection, body).then(() => this.handleAllowed(type, reader));
  }

  private handleAllowed(type: number, reader: FrameReader): void | Promise<void> {
    const { core } = this.socket;
    switch (type) {
      case FrameType.Sync:
      case FrameType.SyncReply:
        return this.handleSync(reader);
      case FrameType.Awareness:
        return core.awareness.receive(this, reader.block());
      case FrameType.QueryAwareness:
        return core.awareness.welcome(this);
      case FrameType.Stateless:
        return this.forwardStateless(reader);
      case FrameType.Close:
        return this.closedByClient();
      case FrameType.Ping:
      case FrameType.Pong:
        return undefined;
      default:
        throw new WeftError('frame-malformed', { detail: `type ${type} is not for clients` });
    }
  }

  private handleSync(reader: FrameReader): void | Promise<void> {
    const type = reader.uint();
    const payload = reader.block();
    const { userHooks } = this.socket.core.hocuspocus;
    if (!userHooks.has('beforeSync')) return this.handleSyncAllowed(type, payload);
    return userHooks
      .beforeSync(this.origin.connection, type, payload)
      .then(() => this.handleSyncAllowed(type, payload));
  }

  private handleSyncAllowed(type: number, payload: Uint8Array): void | Promise<void> {
    const { core } = this.socket;
    switch (type) {
      case SyncType.Step1:
        return core.sync.answerStep1(this, payload);
      case SyncType.Step2:
        return core.sync.receiveStep2(this, payload);
      case SyncType.Update:
        return core.updates.receive(this, type, payload);
      default:
        throw new WeftError('frame-malformed', { detail: `sync type ${type}` });
    }
  }

  /** Stateless messages are the business of users' extensions; without one that listens nobody does. */
  private forwardStateless(reader: FrameReader): void {
    const { core } = this.socket;
    if (!core.hocuspocus.userHooks.has('onStateless') || !this.awarenessBudget.take()) return;
    const encoder = this.innerFrame(FrameType.Stateless);
    encoding.writeUint8Array(encoder, reader.bytes.subarray(reader.offset));
    this.socket.forwardToHocuspocus(encoding.toUint8Array(encoder));
  }

  /** A frame for Hocuspocus, which knows the document by its tenant too. */
  private innerFrame(type: number): encoding.Encoder {
    const encoder = encoding.createEncoder();
    encoding.writeVarString(encoder, `${this.principal.tenant}/${this.addressKey}`);
    encoding.writeVarUint(encoder, type);
    return encoder;
  }

  // ── opening ────────────────────────────────────────────────────────────────

  private receiveToken(reader: FrameReader): void {
    if (reader.uint() !== AuthType.Token) throw new WeftError('frame-malformed', { detail: 'auth type' });
    const token = reader.string();
    const rest = reader.bytes.subarray(reader.offset);
    switch (this.state.name) {
      case 'waiting':
        void this.open(token, rest);
        return;
      case 'opening':
        return;
      case 'open':
        void this.socket.core.opening.refresh(this, token).catch(this.failed);
        return;
      case 'ended':
        this.socket.reopen(this, token, rest);
        return;
    }
  }

  /** Proves who it is, resolves what it may, loads the document, and passes through Hocuspocus' hooks. */
  async open(token: string, rest: Uint8Array): Promise<void> {
    this.opened = new Promise((resolve) => {
      this.state = { name: 'opening', finish: resolve };
    });
    try {
      if (!isDocumentName(this.name)) throw new WeftError('name-invalid');
      await this.socket.core.opening.prepare(this, token);
      await this.socket.passThroughHocuspocus(this, this.authFrame(token, rest));
    } catch (error) {
      this.refuseOpening(toWeftError(error));
    }
  }

  private authFrame(token: string, rest: Uint8Array): Uint8Array {
    const encoder = this.innerFrame(FrameType.Auth);
    encoding.writeVarUint(encoder, AuthType.Token);
    encoding.writeVarString(encoder, token);
    encoding.writeUint8Array(encoder, rest);
    return encoding.toUint8Array(encoder);
  }

  /** Hocuspocus has made its connection: frames that waited are handled now. */
  enter(connection: Connection): void {
    if (this.state.name !== 'opening') return;
    const { finish } = this.state;
    this.state = { name: 'open', connection };
    this.origin = { source: 'connection', connection };
    this.document.sessions.add(this);
    this.socket.core.opening.entered(this);
    finish();
    this.drainQueue();
  }

  private refuseOpening(error: WeftError): void {
    if (this.ended) return;
    this.socket.core.opening.refused(this, error);
    if (isRetryable(error.code)) {
      // The stock provider comes back only when the socket closes.
      this.leave();
      this.socket.close(error.code);
      return;
    }
    this.sendNow(permissionDeniedBody(error.code));
    this.leave();
  }

  // ── outbound ───────────────────────────────────────────────────────────────

  frame(body: FrameBody): Buffer {
    return webSocketFrame(this.address, body);
  }

  enqueue(frame: Buffer): void {
    this.socket.enqueue(frame);
  }

  flush(): void {
    this.socket.flush();
  }

  sendNow(body: FrameBody): void {
    this.socket.send(this.frame(body));
  }

  /** What Hocuspocus sends to this session. */
  relay(type: number, body: Uint8Array): void {
    this.sendNow(body);
    // A user's hook refused: authentication or loading failed there.
    const denied = type === FrameType.Auth && body[1] === AuthType.PermissionDenied;
    if (denied && this.state.name === 'opening') this.leave();
  }

  requestToken(): void {
    this.tokenRequested = true;
    this.sendNow(requestTokenBody);
  }

  sendAccess(): void {
    const { role } = this.access;
    if (!role) return;
    this.sendNow(
      serverEventBody({ weft: 'access', role: role.name, writable: role.write, manage: role.manage }),
    );
  }

  sendRefused(code: ErrorCode, repaired: boolean): void {
    this.sendNow(serverEventBody({ weft: 'refused', code, message: ERRORS[code].message, repaired }));
  }

  // ── ending ─────────────────────────────────────────────────────────────────

  /** An unexpected error of one frame: a coded one ends the session, another one too, as `internal`. */
  readonly failed = (error: unknown): void => {
    const known = toWeftError(error);
    if (known.code === 'internal') {
      this.socket.core.logger.error({ err: error, document: this.name }, 'a frame could not be handled');
    }
    this.end(known.code);
  };

  /** Ends this document session with a typed reason. The socket and its other documents go on. */
  end(code: ErrorCode): void {
    if (this.ended) return;
    this.socket.core.metrics.refusal(code);
    if (isRetryable(code)) {
      this.socket.close(code);
      return;
    }
    const connection = this.state.name === 'open' ? this.state.connection : undefined;
    this.sendNow(serverEventBody({ weft: 'closed', code, message: ERRORS[code].message, retryable: false }));
    this.sendNow(permissionDeniedBody(code));
    this.leave();
    if (connection) connection.close({ code: ERRORS[code].close, reason: code });
    else this.sendNow(closeBody(code));
  }

  announceEnd(code: ErrorCode, retryAfter?: number): void {
    if (this.ended) return;
    const { message } = ERRORS[code];
    const hint = retryAfter === undefined ? {} : { retryAfter };
    this.sendNow(serverEventBody({ weft: 'closed', code, message, retryable: isRetryable(code), ...hint }));
  }

  private closedByClient(): void {
    this.leftCleanly = true;
    const connection = this.state.name === 'open' ? this.state.connection : undefined;
    this.leave();
    this.socket.sessions.delete(this.addressKey);
    connection?.close({ code: 1000, reason: 'provider_initiated' });
  }

  /** The socket is gone. */
  disconnected(): void {
    this.leave();
  }

  private leave(): void {
    const before = this.state;
    if (before.name === 'ended') return;
    this.state = { name: 'ended' };
    for (const body of this.queue) this.socket.addQueuedBytes(-body.length);
    this.queue = [];
    this.socket.core.opening.left(this, before.name === 'open');
    if (before.name === 'opening') before.finish();
  }
}
