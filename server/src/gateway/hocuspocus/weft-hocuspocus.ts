import { Hocuspocus, type Connection, type Document, type Extension } from '@hocuspocus/server';
import { WeftError, type DocumentKey } from '@weft/common';
import type { GatewayCore } from '../core.ts';
import { about, aboutRequest, HocuspocusConnection, sharedCallbacks } from './hocuspocus-connection.ts';
import { NO_REQUEST } from './light-request.ts';
import type { Session } from '../session/session.ts';
import { UserHooks } from './user-hooks.ts';

export interface Admission {
  readonly token: string;
  readonly providerVersion: string | null;
}

/** Hooks of users' extensions that the gateway calls itself, if there are any. */
const CALLED_HOOKS = [
  'onConnect',
  'onAuthenticate',
  'beforeHandleMessage',
  'beforeSync',
  'beforeHandleAwareness',
  'onChange',
  'onStoreDocument',
  'onAwarenessUpdate',
  'onStateless',
  'connected',
  'onDisconnect',
] as const satisfies readonly (keyof Extension)[];

export type CalledHook = (typeof CALLED_HOOKS)[number];

/**
 * Hocuspocus with its documents' hot paths taken over: its hooks have their say when a session is opened and closed,
 * it loads and unloads documents; updates and presence go through the gateway.
 */
export class WeftHocuspocus extends Hocuspocus {
  private readonly core: GatewayCore;
  readonly userHooks: UserHooks;
  private readonly callbacks: Connection['callbacks'];

  constructor(core: GatewayCore, extensions: readonly Extension[]) {
    super();
    this.core = core;
    this.callbacks = sharedCallbacks(this, core.logger);
    this.userHooks = new UserHooks(
      new Set(CALLED_HOOKS.filter((hook) => extensions.some((extension) => hook in extension))),
    );
    this.configure({
      quiet: true,
      // Pings, deadlines and bounds are the gateway's; Hocuspocus' own are out of the way.
      timeout: 2 ** 30,
      unloadImmediately: true,
      flushDelay: false,
      yDocOptions: { gc: true, gcFilter: () => true },
      extensions: [this.ownExtension(), ...extensions],
    });
  }

  private ownExtension(): Extension {
    const { core } = this;
    return {
      extensionName: 'weft-gateway',
      priority: 1000,
      onLoadDocument: async ({ documentName, document }) => {
        const key = documentName as DocumentKey;
        const live = await core.documents.acquire(key);
        live.fill(document);
        // Whoever opened it holds it: a session, or a direct connection that Hocuspocus counts.
        core.documents.release(live);
      },
      beforeBroadcastStateless: async ({ documentName, payload }) => {
        const live = core.documents.get(documentName as DocumentKey);
        if (live) core.replication.publishStateless(live, payload);
      },
      beforeUnloadDocument: async ({ documentName }) => {
        if (!core.documents.mayUnload(documentName as DocumentKey)) throw new KeepLoaded();
      },
    };
  }

  /**
   * Takes a session whose token has been accepted past the hooks, loads its document, and makes the connection that
   * hooks are given.
   * @throws what a hook rejects with.
   */
  async admit(session: Session, { token, providerVersion }: Admission): Promise<void> {
    const { request, id: socketId } = session.socket;
    const { key: documentName, principal } = session;
    const connectionConfig = { readOnly: !session.mayWrite, isAuthenticated: false };
    let context: object = { principal };
    const extend = (additions?: object) => (context = { ...context, ...additions });
    const payload = () => ({
      ...aboutRequest(request),
      ...{ instance: this, request, socketId, documentName, connectionConfig, providerVersion, context },
    });
    const { userHooks } = this;
    if (userHooks.has('onConnect')) await this.hooks('onConnect', payload(), extend);
    if (userHooks.has('onAuthenticate')) await this.hooks('onAuthenticate', { ...payload(), token }, extend);
    connectionConfig.isAuthenticated = true;
    const { readOnly } = connectionConfig;
    session.authenticated(readOnly);
    // What users' extensions do to a document when it is loaded belongs to it.
    if (this.core.dependencies.extensions.length === 0) await this.core.sync.sendAhead(session);
    const document = await this.createDocument(documentName, request, socketId, connectionConfig, context);
    // Given up while it was being opened, it is nobody's: the session comes back to the one that is loaded anew.
    if (session.document.discarded || session.document.document !== document)
      throw new WeftError('document-reload');
    const { callbacks } = this;
    const parts = { session, document, readOnly, context, providerVersion, callbacks };
    const connection = new HocuspocusConnection(parts);
    session.enter(connection);
    if (userHooks.has('connected')) await this.hooks('connected', { ...payload(), connection });
  }

  /** The session is over. Never rejects. */
  async left(connection: HocuspocusConnection): Promise<void> {
    const { document } = connection;
    document.removeConnection(connection);
    try {
      if (this.userHooks.has('onDisconnect')) await this.hooks('onDisconnect', about(this, connection));
      if (document.getConnectionsCount() > 0) return;
      const store = `onStoreDocument-${document.name}`;
      if (this.debouncer.isDebounced(store)) await this.debouncer.executeNow(store);
      else await this.unloadDocument(document);
    } catch (error) {
      this.core.logger.warn({ err: error, document: document.name }, 'a hook failed when a session ended');
    }
  }

  /** Makes the document without a connection; the registry of live documents keeps it open. */
  async openForServer(key: DocumentKey): Promise<void> {
    await this.createDocument(key, NO_REQUEST, 'server', { isAuthenticated: true, readOnly: false });
  }

  /** Everything the constructor and the loading of a document have hooked up is there now: take it over. */
  override async loadDocument(...args: Parameters<Hocuspocus['loadDocument']>): Promise<Document> {
    const document = await super.loadDocument(...args);
    const live = this.core.documents.get(document.name as DocumentKey);
    if (live?.document !== document) {
      document.destroy();
      throw new WeftError('document-reload');
    }
    live.takeOver(document, this.userHooks);
    return document;
  }
}

/** Hocuspocus takes any rejection of the hook as a veto, and logs those with a message. */
class KeepLoaded extends Error {
  constructor() {
    super('');
  }
}
