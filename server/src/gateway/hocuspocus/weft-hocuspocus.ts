import { Hocuspocus, type Connection, type Document, type Extension } from '@hocuspocus/server';
import { WeftError, type DocumentKey, type Logger } from '@weft/common';
import type { LiveDocument } from '../document/live-document.ts';
import type { LiveDocuments } from '../document/live-documents.ts';
import { about, aboutRequest, HocuspocusConnection, sharedCallbacks } from './hocuspocus-connection.ts';
import { NO_REQUEST } from './light-request.ts';
import type { Session } from '../session/session.ts';
import type { UserHooks } from './user-hooks.ts';

export interface Admission {
  readonly token: string;
  readonly providerVersion: string | null;
}

export interface WeftHocuspocusPorts {
  readonly logger: Logger;
  /** Users' own. */
  readonly extensions: readonly Extension[];
  readonly userHooks: UserHooks;
  readonly documents: Pick<LiveDocuments, 'get' | 'acquire' | 'release' | 'mayUnload'>;
  readonly publishStateless: (live: LiveDocument, payload: string) => void;
  /** Sends a session what can be sent of its document before that has been made. */
  readonly sendAhead: (session: Session) => Promise<void>;
}

/**
 * Hocuspocus with its documents' hot paths taken over: its hooks have their say when a session is opened and closed,
 * it loads and unloads documents; updates and presence go through the gateway.
 */
export class WeftHocuspocus extends Hocuspocus {
  private readonly ports: WeftHocuspocusPorts;
  private readonly callbacks: Connection['callbacks'];

  constructor(ports: WeftHocuspocusPorts) {
    super();
    this.ports = ports;
    this.callbacks = sharedCallbacks(this, ports.logger);
    this.configure({
      quiet: true,
      // Pings, deadlines and bounds are the gateway's; Hocuspocus' own are out of the way.
      timeout: 2 ** 30,
      unloadImmediately: true,
      flushDelay: false,
      yDocOptions: { gc: true, gcFilter: () => true },
      extensions: [this.ownExtension(), ...ports.extensions],
    });
  }

  private ownExtension(): Extension {
    const { documents, publishStateless } = this.ports;
    return {
      extensionName: 'weft-gateway',
      priority: 1000,
      onLoadDocument: async ({ documentName, document }) => {
        const key = documentName as DocumentKey;
        const live = await documents.acquire(key);
        live.fill(document);
        // Whoever opened it holds it: a session, or a direct connection that Hocuspocus counts.
        documents.release(live);
      },
      beforeBroadcastStateless: async ({ documentName, payload }) => {
        const live = documents.get(documentName as DocumentKey);
        if (live) publishStateless(live, payload);
      },
      beforeUnloadDocument: async ({ documentName }) => {
        if (!documents.mayUnload(documentName as DocumentKey)) throw new KeepLoaded();
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
    const { userHooks } = this.ports;
    if (userHooks.has('onConnect')) await this.hooks('onConnect', payload(), extend);
    if (userHooks.has('onAuthenticate')) await this.hooks('onAuthenticate', { ...payload(), token }, extend);
    connectionConfig.isAuthenticated = true;
    const { readOnly } = connectionConfig;
    session.authenticated(readOnly);
    // What users' extensions do to a document when it is loaded belongs to it.
    if (this.ports.extensions.length === 0) await this.ports.sendAhead(session);
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
      if (this.ports.userHooks.has('onDisconnect')) await this.hooks('onDisconnect', about(this, connection));
      if (document.getConnectionsCount() > 0) return;
      const store = `onStoreDocument-${document.name}`;
      if (this.debouncer.isDebounced(store)) await this.debouncer.executeNow(store);
      else await this.unloadDocument(document);
    } catch (error) {
      this.ports.logger.warn({ err: error, document: document.name }, 'a hook failed when a session ended');
    }
  }

  /** Makes the document without a connection; the registry of live documents keeps it open. */
  async openForServer(key: DocumentKey): Promise<void> {
    await this.createDocument(key, NO_REQUEST, 'server', { isAuthenticated: true, readOnly: false });
  }

  /** Everything the constructor and the loading of a document have hooked up is there now: take it over. */
  override async loadDocument(...args: Parameters<Hocuspocus['loadDocument']>): Promise<Document> {
    const document = await super.loadDocument(...args);
    const live = this.ports.documents.get(document.name as DocumentKey);
    if (live?.document !== document) {
      document.destroy();
      throw new WeftError('document-reload');
    }
    live.takeOver(document);
    return document;
  }
}

/** Hocuspocus takes any rejection of the hook as a veto, and logs those with a message. */
class KeepLoaded extends Error {
  constructor() {
    super('');
  }
}
