import { HocuspocusProvider, HocuspocusProviderWebsocket, WebSocketStatus } from '@hocuspocus/provider';
import { IndexeddbPersistence } from 'y-indexeddb';
import { Awareness, removeAwarenessStates } from 'y-protocols/awareness';
import * as Y from 'yjs';
import { accessOf, accessOfScope, type Access } from './access.ts';
import { backoff } from './backoff.ts';
import { endOfAuthentication, endOfClose, needsNewToken } from './endings.ts';
import { localCopyName } from './local-copy.ts';
import { parseServerEvent } from './server-event.ts';
import { statusOf, type ConnectionFacts, type SessionEnd, type Status } from './status.ts';
import { clocksOf, type Clocks } from './unsaved.ts';

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
  /** The last refusal that the server has undone by itself; a new object for each. */
  readonly refusal: { readonly message: string } | undefined;
}

/** How long the local copy may take before the document is opened without it. */
const LOCAL_COPY_PATIENCE_MS = 2_000;
/** After the browser says "offline": how long the server has to prove otherwise. */
const OFFLINE_PROBE_MS = 2_500;
const ACCESS_KEY = 'access';

/** One open document of one person: the Y.Doc, its local copy, its connection, and what is known of them. */
export class DocumentSession {
  readonly doc = new Y.Doc();
  readonly awareness = new Awareness(this.doc);
  readonly localName: string;

  readonly #options: SessionOptions;
  readonly #persistence: IndexeddbPersistence;
  readonly #listeners = new Set<() => void>();
  readonly #cleanups: (() => void)[] = [];
  #socket: HocuspocusProviderWebsocket | undefined;
  #provider: HocuspocusProvider | undefined;
  #facts: ConnectionFacts = {
    socket: 'connecting',
    lost: false,
    authenticated: false,
    synced: false,
    unsyncedChanges: 0,
    keptLocally: false,
    access: undefined,
    end: undefined,
  };
  #ready = false;
  #refusal: SessionState['refusal'];
  #state: SessionState;
  #saved: Clocks = new Map();
  #reopenings = 0;
  #destroyed = false;

  constructor(options: SessionOptions) {
    this.#options = options;
    this.localName = localCopyName(options.user, options.name);
    this.#persistence = new IndexeddbPersistence(this.localName, this.doc);
    this.#state = this.#derive();
    void this.#open();
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  readonly state = (): SessionState => this.#state;

  get hasUnsavedChanges(): boolean {
    return this.#facts.unsyncedChanges > 0;
  }

  /** The state vector of the last moment at which everything was saved. */
  get savedClocks(): Clocks {
    return this.#saved;
  }

  destroy(): void {
    this.#destroyed = true;
    for (const cleanup of this.#cleanups) cleanup();
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
    await Promise.race([this.#loadLocalCopy(), delay(LOCAL_COPY_PATIENCE_MS)]);
    if (!this.#destroyed) this.#connect();
  }

  async #loadLocalCopy(): Promise<void> {
    await this.#persistence.whenSynced;
    const access: unknown = await this.#persistence.get(ACCESS_KEY).catch(() => undefined);
    if (this.#destroyed) return;
    const hasContent = this.doc.store.clients.size > 0;
    this.#ready ||= hasContent;
    this.#update({
      keptLocally: true,
      // The rights of the last visit, for a document that is opened without a connection.
      access: this.#facts.access ?? (hasContent ? parseAccess(access) : undefined),
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
      onAuthenticationFailed: ({ reason }) => this.#end(endOfAuthentication(reason)),
      onSynced: () => this.#onSynced(),
      onUnsyncedChanges: () => this.#update({}),
      onStateless: ({ payload }) => this.#onStateless(payload),
      onClose: ({ event }) => this.#onClose(event),
    });
    this.#socket = socket;
    this.#provider = provider;
    socket.on('status', () => this.#onSocketStatus());
    provider.attach();
    this.#watchNetwork();
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
    }, 1_000);
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
        const access = accessOf(event);
        this.#update({ access });
        void this.#persistence.set(ACCESS_KEY, JSON.stringify(access)).catch(() => undefined);
        return;
      }
      case 'refused':
        if (!event.repaired) return;
        this.#refusal = { message: event.message };
        this.#update({});
        // The refused change is never acknowledged; a new exchange counts again what is.
        this.#provider?.forceSync();
        return;
      case 'closed':
        this.#end(event);
        return;
      case undefined:
        return;
    }
  }

  #onClose(event: { code: number; reason: string }): void {
    if (this.#facts.end) return this.#update({});
    const end = endOfClose(event) ?? endOfDocumentClose(event);
    if (end) this.#end(end);
    else this.#update({});
  }

  #end({ code, message, retryable }: SessionEnd): void {
    const end = { code, message, retryable };
    if (this.#facts.end && !this.#facts.end.retryable) return;
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

  /**
   * A browser notices a lost network long before a silent WebSocket does. But "offline" is also said on a
   * machine without network that talks to itself, so the server is asked first.
   */
  #watchNetwork(): void {
    let probe: ReturnType<typeof setTimeout> | undefined;
    const onOffline = (): void => {
      const askedAt = Date.now();
      this.#provider?.forceSync();
      clearTimeout(probe);
      probe = setTimeout(() => {
        if ((this.#socket?.lastMessageReceived ?? 0) >= askedAt) return;
        this.#update({ socket: 'disconnected', lost: true });
      }, OFFLINE_PROBE_MS);
    };
    const onOnline = (): void => {
      clearTimeout(probe);
      if (this.#facts.end && !this.#facts.end.retryable) return;
      // A socket that was silent may be dead without knowing it.
      if (this.#socket?.status === WebSocketStatus.Connected && this.#facts.lost)
        this.#socket.webSocket?.close();
      else if (this.#socket?.status !== WebSocketStatus.Connected) void this.#socket?.connect();
    };
    window.addEventListener('offline', onOffline);
    window.addEventListener('online', onOnline);
    this.#cleanups.push(() => {
      clearTimeout(probe);
      window.removeEventListener('offline', onOffline);
      window.removeEventListener('online', onOnline);
    });
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
    this.#state = this.#derive();
    if (this.#state.status.kind === 'saved') this.#saved = clocksOf(this.doc);
    for (const listener of this.#listeners) listener();
  }

  #derive(): SessionState {
    const { access, end, synced } = this.#facts;
    return {
      status: statusOf(this.#facts),
      access,
      end,
      ready: this.#ready,
      synced,
      refusal: this.#refusal,
    };
  }
}

/** The document's session was closed while the socket stays open; stock servers give prose as the reason. */
function endOfDocumentClose({ code, reason }: { code: number; reason: string }): SessionEnd | undefined {
  if (code !== 1000) return undefined;
  const end = endOfClose({ code: 4400, reason });
  return end ?? { code: 'document-reload', message: 'The document is being opened again.', retryable: true };
}

function withoutWriting(access: Access): Access {
  return { ...access, writesText: false, writesComments: false, manages: false };
}

function parseAccess(stored: unknown): Access | undefined {
  return typeof stored === 'string' ? (JSON.parse(stored) as Access) : undefined;
}

function delay(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
