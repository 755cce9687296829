import { HocuspocusProvider, HocuspocusProviderWebsocket, WebSocketStatus } from '@hocuspocus/provider';
import { Awareness, removeAwarenessStates } from 'y-protocols/awareness';
import * as Y from 'yjs';
import { accessOf, accessOfScope, type Access } from './access.ts';
import { backoff } from './backoff.ts';
import { earlierDocument, endOfAuthentication, endOfClose, messageOf, needsNewToken } from './endings.ts';
import { LocalCopy, localCopyName } from './local-copy.ts';
import { Patience } from './patience.ts';
import { parseServerEvent } from './server-event.ts';
import { statusOf, type ConnectionFacts, type SessionEnd, type Status } from './status.ts';
import type { Clocks } from './unsaved.ts';
import { watchNetwork } from './watch-network.ts';

export interface SessionOptions {
  readonly url: string;
  readonly name: string;
  /** The person's id: part of the name of the local copy. */
  readonly user: string;
  /** Called for every authentication. Must return a token that is not about to expire. */
  readonly token: () => Promise<string>;
  /** A token can be had again, so an expired one does not end the session. */
  readonly tokenRenewable: boolean;
}

export interface SessionState {
  readonly status: Status;
  readonly access: Access | undefined;
  readonly end: SessionEnd | undefined;
  /** There is something to show: the local copy or the server's. */
  readonly ready: boolean;
  readonly synced: boolean;
  /** Closing the tab would lose changes: neither the server nor this browser keeps them. */
  readonly atRisk: boolean;
  /** The last refusal that the server has undone by itself; a new object for each. */
  readonly refusal: { readonly message: string } | undefined;
}

/** How long the local copy may take before the document is opened without it. */
const LOCAL_COPY_PATIENCE_MS = 2_000;
/** A server of ours says what one may do; how long to wait for it before believing the protocol alone. */
const ACCESS_PATIENCE_MS = 1_000;

/** One open document of one person: the Y.Doc, its local copy, its connection, and what is known of them. */
export class DocumentSession {
  readonly doc = new Y.Doc();
  readonly awareness = new Awareness(this.doc);

  readonly #options: SessionOptions;
  readonly #local: LocalCopy;
  readonly #listeners = new Set<() => void>();
  readonly #cleanups: (() => void)[] = [];
  readonly #patience = new Patience(() => this.#update({}));
  #socket: HocuspocusProviderWebsocket | undefined;
  #provider: HocuspocusProvider | undefined;
  #facts: ConnectionFacts = {
    socket: 'connecting',
    lost: false,
    authenticated: false,
    synced: false,
    unsyncedChanges: 0,
    keptLocally: false,
    overdue: false,
    access: undefined,
    end: undefined,
  };
  #ready = false;
  #refusal: SessionState['refusal'];
  #state: SessionState;
  #disputedClient: number | undefined;
  /** When the document was made, as the server says. */
  #createdAt: string | undefined;
  #reopenings = 0;
  #destroyed = false;

  constructor(options: SessionOptions) {
    this.#options = options;
    this.#local = new LocalCopy({
      name: localCopyName(options.user, options.name),
      doc: this.doc,
      onLost: () => this.#update({ keptLocally: false }),
    });
    this.doc.on('update', (update: Uint8Array, origin: unknown) => {
      if (origin === this.#provider) this.#local.markReceived(update);
    });
    this.#state = this.#derive();
    void this.#open();
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  readonly state = (): SessionState => this.#state;

  get localName(): string {
    return this.#local.name;
  }

  /** What the server is known to have, from this session and earlier ones. */
  get savedClocks(): Clocks {
    return this.#local.saved;
  }

  /** The Yjs client id under which the server has something else than this copy. */
  get disputedClient(): number | undefined {
    return this.#disputedClient;
  }

  destroy(): void {
    this.#destroyed = true;
    this.#local.stop();
    for (const cleanup of this.#cleanups) cleanup();
    this.#patience.restore();
    this.#provider?.destroy();
    this.#socket?.destroy();
    this.awareness.destroy();
    // Also closes the local copy.
    this.doc.destroy();
  }

  /**
   * The local copy comes first: what it holds is then part of the first exchange of state vectors, instead of
   * being sent whole as one late change.
   */
  async #open(): Promise<void> {
    await Promise.race([this.#loadLocalCopy().catch(() => undefined), delay(LOCAL_COPY_PATIENCE_MS)]);
    if (!this.#destroyed) this.#connect();
  }

  async #loadLocalCopy(): Promise<void> {
    const access = await this.#local.load();
    if (this.#destroyed) return;
    if (!this.#isOfThisDocument()) return;
    const hasContent = this.doc.store.clients.size > 0;
    this.#ready ||= hasContent;
    this.#update({
      keptLocally: !this.#local.isLost,
      // The rights of the last visit, for a document that is opened without a connection.
      access: this.#facts.access ?? (hasContent ? access : undefined),
    });
  }

  #connect(): void {
    const { url, name, token } = this.#options;
    const socket = new HocuspocusProviderWebsocket({ url, maxDelay: 8_000 });
    const provider = new HocuspocusProvider({
      websocketProvider: socket,
      name,
      document: this.doc,
      awareness: this.awareness,
      token,
      onAuthenticated: ({ scope }) => this.#onAuthenticated(scope),
      onAuthenticationFailed: ({ reason }) => this.#end(endOfAuthentication(reason, this.#facts.access)),
      onSynced: () => this.#onSynced(),
      onUnsyncedChanges: () => this.#update({}),
      onStateless: ({ payload }) => this.#onStateless(payload),
      onClose: ({ event }) => this.#onClose(event),
      onMessage: () => this.#onMessage(),
    });
    this.#socket = socket;
    this.#provider = provider;
    socket.on('status', () => this.#onSocketStatus());
    provider.attach();
    this.#cleanups.push(
      watchNetwork({
        provider,
        onSilent: () => this.#update({ socket: 'disconnected', lost: true }),
        wanted: () => this.#facts.end?.retryable !== false,
      }),
    );
  }

  /** Whoever was silent and speaks again is connected. */
  #onMessage(): void {
    if (this.#facts.socket === 'disconnected') this.#onSocketStatus();
  }

  #onSocketStatus(): void {
    const status = this.#socket?.status ?? 'disconnected';
    this.#update(status === 'disconnected' ? { socket: status, lost: true } : { socket: status });
  }

  #onAuthenticated(scope: string): void {
    this.#update({ end: undefined });
    // A server of ours says more, before or after; this is for one that does not.
    const alone = setTimeout(() => {
      if (!this.#facts.access) this.#update({ access: accessOfScope(scope) });
    }, ACCESS_PATIENCE_MS);
    this.#cleanups.push(() => clearTimeout(alone));
  }

  #onSynced(): void {
    this.#ready = true;
    this.#reopenings = 0;
    this.#update({ lost: false });
  }

  #onStateless(payload: string): void {
    const event = parseServerEvent(payload);
    switch (event?.weft) {
      case 'access': {
        this.#createdAt = event.createdAt;
        if (!this.#isOfThisDocument()) return;
        const access = accessOf(event);
        this.#update({ access });
        this.#local.keepAccess(access);
        return;
      }
      case 'refused':
        this.#noteDispute(event.code);
        if (!event.repaired) return;
        this.#refusal = { message: event.message };
        this.#update({});
        // The refused change is never acknowledged; a new exchange counts again what is.
        this.#provider?.forceSync();
        return;
      case 'closed':
        this.#end({ ...event, message: messageOf(event.code) ?? event.message });
        return;
      case undefined:
        return;
    }
  }

  /** What is kept of an earlier document of this name must not become part of this one. */
  #isOfThisDocument(): boolean {
    if (this.#createdAt === undefined || this.#local.isOf(this.#createdAt)) return true;
    this.#end(earlierDocument());
    return false;
  }

  #onClose(event: { code: number; reason: string }): void {
    if (this.#facts.end) return this.#update({});
    const alone = this.#socket?.status === WebSocketStatus.Connected;
    const end = alone ? endOfDocumentClose(event) : endOfClose(event);
    if (end) this.#end(end);
    else this.#update({});
  }

  #end({ code, message, retryable }: SessionEnd): void {
    const end = { code, message, retryable };
    if (this.#facts.end && !this.#facts.end.retryable) return;
    this.#noteDispute(code);
    if (retryable || (needsNewToken(end) && this.#options.tokenRenewable)) {
      this.#update({ end: { ...end, retryable: true } });
      this.#reopenLater();
      return;
    }
    this.#update({ end });
    this.#provider?.detach();
    this.#socket?.disconnect();
    this.#forgetOthers();
  }

  #noteDispute(code: string): void {
    if (code === 'client-id-taken') this.#disputedClient = this.doc.clientID;
  }

  /** Who is not connected does not know who is here. */
  #forgetOthers(): void {
    const others = [...this.awareness.getStates().keys()].filter((client) => client !== this.doc.clientID);
    removeAwarenessStates(this.awareness, others, this);
  }

  #reopenLater(): void {
    const wait = setTimeout(() => {
      // Where the whole socket went down, it comes back by itself and opens the document again.
      if (this.#destroyed || this.#facts.socket !== 'connected' || !this.#facts.end) return;
      this.#provider?.detach();
      this.#provider?.attach();
    }, backoff(this.#reopenings++));
    this.#cleanups.push(() => clearTimeout(wait));
  }

  #update(change: Partial<ConnectionFacts>): void {
    if (this.#destroyed) return;
    const provider = this.#provider;
    this.#facts = {
      ...this.#facts,
      authenticated: provider?.isAuthenticated ?? false,
      synced: provider?.synced ?? false,
      unsyncedChanges: provider?.unsyncedChanges ?? 0,
      ...change,
    };
    const { end, access } = this.#facts;
    if (end && !end.retryable && access) this.#facts = { ...this.#facts, access: withoutWriting(access) };
    this.#followPatience();
    this.#state = this.#derive();
    if (this.#isAllSaved()) this.#local.markAllSaved();
    for (const listener of this.#listeners) listener();
  }

  #followPatience(): void {
    const { kind } = statusOf({ ...this.#facts, overdue: false });
    const overdue = this.#patience.follow({ kind, unsyncedChanges: this.#facts.unsyncedChanges });
    this.#facts = { ...this.#facts, overdue };
  }

  #isAllSaved(): boolean {
    const { kind } = this.#state.status;
    return (kind === 'saved' || kind === 'read-only') && this.#facts.unsyncedChanges === 0;
  }

  #derive(): SessionState {
    const { access, end, synced, unsyncedChanges, keptLocally } = this.#facts;
    return {
      status: statusOf(this.#facts),
      access,
      end,
      ready: this.#ready,
      synced,
      atRisk: !keptLocally && unsyncedChanges > 0 && this.#ready,
      refusal: this.#refusal,
    };
  }
}

/** The document's session was closed while its socket stays open; stock servers give prose as the reason. */
function endOfDocumentClose({ reason }: { reason: string }): SessionEnd {
  const end = endOfClose({ code: 4400, reason });
  return end ?? { code: 'document-reload', message: 'The document is being opened again.', retryable: true };
}

function withoutWriting(access: Access): Access {
  return { ...access, writesText: false, writesComments: false, manages: false };
}

function delay(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
