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
  type Clock,
  type DocumentKey,
  type ErrorCode,
  type Logger,
  type Principal,
} from '@weft/common';
import type { Access, ClientBindings } from '@weft/authorize';
import { TokenBucket } from '@weft/limits';
import { Acknowledgements, type Answered } from '../document/acknowledgements.ts';
import type { ClientSocket } from '../connection/client-socket.ts';
import type { FrameHandler } from '../connection/frame-handler.ts';
import {
  authenticatedBody,
  closeBody,
  encodeAddress,
  permissionDeniedBody,
  requestTokenBody,
  serverEventBody,
  syncStatusBody,
  webSocketFrame,
  type FrameBody,
  FrameReader,
} from '../frames.ts';
import type { HocuspocusConnection } from '../hocuspocus/hocuspocus-connection.ts';
import type { GatewayMetrics } from '../gateway-metrics.ts';
import type { SessionOpening } from '../opening/session-opening.ts';
import type { Participant } from '../document/participant.ts';
import type { FrameSource } from '../document/turn.ts';
import type { SessionRates } from './rates.ts';
import type { LiveDocument } from '../document/live-document.ts';
import type { StateMark } from '../document/state-cache.ts';
import type { Admission, WeftHocuspocus } from '../hocuspocus/weft-hocuspocus.ts';

/** A session waits for its token, opens its document, is open, and ends; it never goes back. */
type State =
  | { readonly name: 'waiting' }
  | { readonly name: 'opening' }
  | { readonly name: 'open'; readonly connection: HocuspocusConnection }
  | { readonly name: 'ended' };

const NOBODY: ReadonlySet<number> = new Set();

export interface SessionPorts {
  readonly clock: Clock;
  readonly rates: SessionRates;
  readonly logger: Logger;
  readonly metrics: Pick<GatewayMetrics, 'refusal'>;
  readonly bindings: Pick<ClientBindings, 'ownerOf'>;
  readonly frames: FrameHandler;
  readonly opening: SessionOpening;
  readonly hocuspocus: Pick<WeftHocuspocus, 'admit' | 'left'>;
}

export interface SessionOptions {
  readonly ports: SessionPorts;
  readonly socket: ClientSocket;
  /** `name` or `name\0sessionId`, as the client writes it. */
  readonly address: string;
}

/**
 * One document open on one socket: the Hocuspocus protocol of one provider. It takes the frames one after
 * another; while one of them waits for something (the token's check, the database), those after it queue.
 */
export class Session implements Participant, Answered, FrameSource {
  /** In every row this session writes. */
  readonly id = randomBytes(9).toString('base64url');
  /** Milliseconds since 1970. */
  readonly openedAt: number;
  readonly socket: ClientSocket;
  readonly addressKey: string;
  /** As it stands on the wire. */
  address: Uint8Array;
  readonly name: string;
  readonly acknowledgements: Acknowledgements;
  readonly updateBudget: TokenBucket;
  readonly awarenessBudget: TokenBucket;
  readonly syncBudget: TokenBucket;
  /** Set from the token on; the session never changes its person. */
  principal!: Principal;
  access!: Access;
  /** Set while open. */
  document!: LiveDocument;
  /** The Yjs transaction origin of everything this session writes. */
  origin!: { readonly source: 'connection'; readonly connection: HocuspocusConnection };
  /** Yjs clients it has spoken for. */
  clients: ReadonlySet<number> = NOBODY;
  /** Updates that were no Yjs updates; the third ends the session. */
  malformed = 0;
  /** Updates in a row that referred to unknown edits. */
  missing = 0;
  tokenRequested = false;
  /** Whether {@link SessionOpening.prepare} has taken what `left` gives back. */
  prepared = false;
  /** Without a grace: the client said goodbye, or was silent for longer than that before its connection was given up. */
  leavesAtOnce = false;
  seesPresence = false;
  /** What it was sent of the document before it was open. */
  sentAhead: StateMark | undefined;
  /** The newest awareness frame over the rate. */
  deferredAwareness: Uint8Array | undefined;
  /** Next to no session needs one. */
  private repairs: TokenBucket | undefined;
  private readonly ports: SessionPorts;
  private state: State = { name: 'waiting' };
  private queue: Uint8Array[] = [];
  private busy = false;
  /** The frames that waited for the opening have been handled. */
  private caughtUp = false;

  constructor({ ports, socket, address }: SessionOptions) {
    this.ports = ports;
    this.socket = socket;
    this.addressKey = address;
    this.address = encodeAddress(address);
    const separator = address.indexOf(SESSION_SEPARATOR);
    this.name = separator < 0 ? address : address.slice(0, separator);
    this.acknowledgements = new Acknowledgements(this);
    const { clock, rates } = ports;
    this.openedAt = clock.now();
    this.updateBudget = new TokenBucket(rates.updates);
    this.awarenessBudget = new TokenBucket(rates.awareness);
    this.syncBudget = new TokenBucket(rates.syncs);
  }

  /** Refused edits that are undone for everybody instead of ending the session. */
  get repairBudget(): TokenBucket {
    return (this.repairs ??= new TokenBucket(this.ports.rates.repairs));
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

  /** Of the session-aware provider: several sessions of one document share its socket. */
  get wireSessionId(): string | null {
    const separator = this.addressKey.indexOf(SESSION_SEPARATOR);
    return separator < 0 ? null : this.addressKey.slice(separator + 1);
  }

  get mayWrite(): boolean {
    const { role } = this.access;
    return role !== undefined && (role.write === '*' || role.write.length > 0);
  }

  /** What it may has changed; the client is told, unless that ends the session. */
  permit(access: Access): void {
    const before = this.access;
    this.access = access;
    this.document.sawRevision(access.policyRev);
    if (!access.role?.read) return this.end('access-removed');
    if (!before.role || !sameRights(before.role, access.role)) this.sendAccess();
  }

  /** Whether the Yjs client is known to be this person's, from this session or another. */
  owns(client: number): boolean {
    return this.ports.bindings.ownerOf(this.key, client) === this.principal.user;
  }

  /** The Yjs client is this person's. */
  speaksFor(client: number): void {
    this.clients = new Set([...this.clients, client]);
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
    else if (!this.document.turn.takes(this, type, reader)) this.dispatch(type, reader);
  }

  /** A frame that waited for the end of the turn. */
  resume(type: number, reader: FrameReader): void {
    if (!this.isOpen) return;
    if (this.busy) return this.enqueueInbound(reader.bytes.slice(reader.offset - 1));
    try {
      this.dispatch(type, reader);
    } catch (error) {
      this.socket.failed(error);
    }
  }

  private enqueueInbound(body: Uint8Array): void {
    this.queue.push(body);
    this.socket.addQueuedBytes(body.length);
  }

  /** Whether the client has asked for the whole document, and waits. */
  get awaitsEverything(): boolean {
    return this.state.name === 'opening' && this.queue.some(isFirstSync);
  }

  private dispatch(type: number, reader: FrameReader): void {
    const outcome = this.ports.frames.handle(this, type, reader);
    if (outcome) this.hold(outcome);
  }

  /** Lets the following frames queue until `work` is over. */
  private hold(work: Promise<void>): void {
    this.busy = true;
    const done = () => {
      this.busy = false;
      this.drainQueue();
    };
    work.catch((error: unknown) => this.failed(error)).finally(done);
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
    if (this.queue.length > 0) return;
    // An array that has been emptied would keep its room.
    this.queue = [];
    if (this.busy || !this.isOpen || this.caughtUp) return;
    this.caughtUp = true;
    this.ports.opening.caughtUp(this);
  }

  // ── opening ────────────────────────────────────────────────────────────────

  private receiveToken(reader: FrameReader): void {
    if (reader.uint() !== AuthType.Token) throw new WeftError('frame-malformed', { detail: 'auth type' });
    const token = reader.string();
    const admission = { token, providerVersion: reader.done ? null : reader.string() };
    switch (this.state.name) {
      case 'waiting':
        void this.open(admission);
        return;
      case 'opening':
        return;
      case 'open':
        void this.ports.opening.refresh(this, token).catch((error: unknown) => this.failed(error));
        return;
      case 'ended':
        this.socket.reopen(this, admission);
        return;
    }
  }

  /** Proves who it is, resolves what it may, loads the document, and passes by the hooks. */
  async open(admission: Admission): Promise<void> {
    const { opening, hocuspocus } = this.ports;
    this.state = { name: 'opening' };
    try {
      if (!isDocumentName(this.name)) throw new WeftError('name-invalid');
      await opening.prepare(this, admission.token);
      if (!this.ended) await hocuspocus.admit(this, admission);
    } catch (error) {
      this.refuseOpening(error);
    }
  }

  /** The client may go on; it is told what it may. */
  authenticated(readOnly: boolean): void {
    if (this.ended) return;
    this.sendNow(authenticatedBody(readOnly));
    this.sendAccess();
  }

  /** The document is there: frames that waited are handled now. */
  enter(connection: HocuspocusConnection): void {
    if (this.ended) return void this.ports.hocuspocus.left(connection);
    this.state = { name: 'open', connection };
    this.origin = { source: 'connection', connection };
    this.address = this.document.sharedAddress(this);
    this.document.sessions.add(this);
    this.ports.opening.entered(this);
    this.drainQueue();
  }

  private refuseOpening(reason: unknown): void {
    if (this.ended) return;
    const { opening } = this.ports;
    const error = opening.refused(this, reason);
    if (error && isRetryable(error.code)) {
      // The stock provider comes back only when the socket closes.
      this.leave();
      this.socket.close(error.code);
      return;
    }
    this.sendNow(permissionDeniedBody(error?.code ?? hookReason(reason)));
    this.leave();
  }

  // ── outbound ───────────────────────────────────────────────────────────────

  frame(body: FrameBody): Buffer {
    return webSocketFrame(this.address, body);
  }

  enqueue(bytes: Buffer): void {
    this.socket.enqueue(bytes);
  }

  flush(): void {
    this.socket.flush();
  }

  /** Of one update; written with what the document sends next. */
  answer(saved: boolean): void {
    this.enqueue(this.frame(syncStatusBody(saved)));
  }

  sendNow(body: FrameBody): void {
    this.socket.send(this.frame(body));
  }

  /** A whole frame of Hocuspocus or a hook. Sync, presence and status are the gateway's to send. */
  relay(frame: Uint8Array): void {
    const reader = new FrameReader(frame);
    reader.string();
    const body = frame.subarray(reader.offset);
    if (RELAYED.has(reader.uint())) this.sendNow(body);
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
  failed(error: unknown): void {
    const known = toWeftError(error);
    if (known.code === 'internal') {
      this.ports.logger.error({ err: error, document: this.name }, 'a frame could not be handled');
    }
    this.end(known.code);
  }

  /** Ends this document session with a typed reason. The socket and its other documents go on. */
  end(code: ErrorCode): void {
    if (this.ended) return;
    this.ports.metrics.refusal(code);
    if (isRetryable(code)) {
      this.socket.close(code);
      return;
    }
    this.sendNow(serverEventBody({ weft: 'closed', code, message: ERRORS[code].message, retryable: false }));
    this.sendNow(permissionDeniedBody(code));
    this.leave();
    this.sendNow(closeBody(code));
  }

  announceEnd(code: ErrorCode, retryAfter?: number): void {
    if (this.ended) return;
    const { message } = ERRORS[code];
    const hint = retryAfter === undefined ? {} : { retryAfter };
    this.sendNow(serverEventBody({ weft: 'closed', code, message, retryable: isRetryable(code), ...hint }));
  }

  /** The client has said goodbye. */
  closedByClient(): void {
    this.leavesAtOnce = true;
    this.leave();
    this.socket.forgetSession(this);
  }

  /** A user's hook has closed it. */
  closedByHook(reason: string): void {
    if (this.ended) return;
    this.leave();
    this.sendNow(closeBody(reason));
  }

  /** The socket is gone. */
  disconnected(): void {
    this.leave();
  }

  private leave(): void {
    // What it has sent counts, also when it closed in the same moment.
    if (this.isOpen) this.document.turn.end();
    const before = this.state;
    if (before.name === 'ended') return;
    this.state = { name: 'ended' };
    for (const body of this.queue) this.socket.addQueuedBytes(-body.length);
    this.queue = [];
    this.ports.opening.left(this, before.name === 'open');
    if (before.name === 'open') void this.ports.hocuspocus.left(before.connection);
  }
}

/** SyncStep1 with the state vector of somebody who has nothing. */
const FIRST_SYNC = Buffer.from([FrameType.Sync, SyncType.Step1, 1, 0]);

function isFirstSync(body: Uint8Array): boolean {
  return FIRST_SYNC.equals(body);
}

/** Of what Hocuspocus and hooks may send; the gateway sends the other kinds itself. */
const RELAYED = new Set<number>([FrameType.Auth, FrameType.Stateless, FrameType.Close]);

/** As Hocuspocus reads what a hook rejects with. */
function hookReason(error: unknown): string {
  const { reason } = (error ?? {}) as { readonly reason?: unknown };
  return typeof reason === 'string' ? reason : 'permission-denied';
}

type Role = NonNullable<Access['role']>;

function sameRights(a: Role, b: Role): boolean {
  return (
    a.name === b.name &&
    a.presence === b.presence &&
    a.manage === b.manage &&
    String(a.write) === String(b.write)
  );
}
