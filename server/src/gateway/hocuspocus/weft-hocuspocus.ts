import { Hocuspocus, type Connection, type Document, type Extension } from '@hocuspocus/server';
import { refusalOf, WeftError, type DocumentKey, type Logger } from '@weft/common';
import type { LiveDocument } from '../document/live-document.ts';
import type { LiveDocuments } from '../document/live-documents.ts';
import { about, sharedCallbacks } from './hocuspocus-connection.ts';
import { HookedAdmission, type Entrant } from './hooked-admission.ts';
import { NO_REQUEST } from './light-request.ts';
import type { UserHooks } from './user-hooks.ts';

export interface WeftHocuspocusPorts {
  readonly logger: Logger;
  /** Users' own. */
  readonly extensions: readonly Extension[];
  readonly userHooks: UserHooks;
  readonly documents: Pick<LiveDocuments, 'get' | 'acquire' | 'release' | 'mayUnload'>;
  readonly publishStateless: (live: LiveDocument, payload: string) => void;
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
      onLoadDocument: ({ document }) =>
        this.fill(document).catch((error: unknown) => {
          throw new LoadRefused(refusalOf(error));
        }),
      beforeBroadcastStateless: async ({ documentName, payload }) => {
        const live = documents.get(documentName as DocumentKey);
        if (live) publishStateless(live, payload);
      },
      beforeUnloadDocument: async ({ documentName }) => {
        if (!documents.mayUnload(documentName as DocumentKey)) throw new KeepLoaded();
      },
    };
  }

  private async fill(document: Document): Promise<void> {
    const { documents } = this.ports;
    const live = await documents.acquire(document.name as DocumentKey);
    try {
      live.fill(document);
    } finally {
      // Whoever opened it holds it: a session, or a direct connection that Hocuspocus counts.
      documents.release(live);
    }
  }

  /** Whether users have extensions of their own, which may do anything to a document that is loaded. */
  get hasExtensions(): boolean {
    return this.ports.extensions.length > 0;
  }

  /** The way of a client past the hooks. */
  admission(entrant: Entrant): HookedAdmission {
    const { callbacks } = this;
    return new HookedAdmission({ ...entrant, hocuspocus: this, userHooks: this.ports.userHooks, callbacks });
  }

  /** The session is over. Never rejects. */
  async left(connection: Connection): Promise<void> {
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
    const document = await super.loadDocument(...args).catch((error: unknown) => {
      throw error instanceof LoadRefused ? error.refusal : error;
    });
    const live = this.ports.documents.get(document.name as DocumentKey);
    if (live?.made === document) live.takeOver();
    return document;
  }

  /**
   * Hocuspocus keeps a document under its name some microtasks after it was loaded, whatever became of it meanwhile.
   * One that has been given up is nobody's by now, and would shut out everybody who comes later.
   */
  override async createDocument(...args: Parameters<Hocuspocus['createDocument']>): Promise<Document> {
    const document = await super.createDocument(...args);
    const live = this.ports.documents.get(document.name as DocumentKey);
    if (live?.made === document && !live.discarded) return document;
    if (this.documents.get(document.name) === document) this.documents.delete(document.name);
    document.destroy();
    throw new WeftError('document-reload');
  }
}

/** Hocuspocus takes any rejection of the hook as a veto, and logs those with a message. */
class KeepLoaded extends Error {
  constructor() {
    super('');
  }
}

/**
 * Why a document could not be loaded, without a message: Hocuspocus would print it past the logger. A refusal is no
 * operator's business, and whoever asked for the document logs what is.
 */
class LoadRefused extends Error {
  readonly refusal: WeftError;

  constructor(refusal: WeftError) {
    super('');
    this.refusal = refusal;
  }
}
