import { Hocuspocus, type Document, type Extension } from '@hocuspocus/server';
import { type DocumentKey } from '@weft/common';
import type { ClientSocket } from './client-socket.ts';
import type { GatewayCore } from './core.ts';
import { UserHooks } from './user-hooks.ts';

interface SocketContext {
  readonly weftSocket: ClientSocket;
}

/** Hooks of users' extensions that the gateway calls itself, where it takes the frames past Hocuspocus. */
const FRAME_HOOKS = [
  'beforeHandleMessage',
  'beforeSync',
  'beforeHandleAwareness',
  'onChange',
  'onStoreDocument',
  'onAwarenessUpdate',
  'onStateless',
] as const satisfies readonly (keyof Extension)[];

export type FrameHook = (typeof FRAME_HOOKS)[number];

/**
 * Hocuspocus with its documents' hot paths taken over: it authenticates (users' hooks included), opens and closes
 * documents and carries stateless messages; updates and presence go through the gateway.
 */
export class WeftHocuspocus extends Hocuspocus<SocketContext> {
  private readonly core: GatewayCore;
  readonly userHooks: UserHooks;

  constructor(core: GatewayCore, extensions: readonly Extension[]) {
    super();
    this.core = core;
    this.userHooks = new UserHooks(
      new Set(FRAME_HOOKS.filter((hook) => extensions.some((extension) => hook in extension))),
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

  private ownExtension(): Extension<SocketContext> {
    const { core } = this;
    return {
      extensionName: 'weft-gateway',
      priority: 1000,
      onAuthenticate: async ({ connectionConfig, context }) => {
        const session = context.weftSocket.openingSession;
        if (!session) throw new Error('no session is opening');
        const write = session.access.role?.write;
        connectionConfig.readOnly = write === undefined || (write !== '*' && write.length === 0);
        return { principal: session.principal };
      },
      connected: async ({ connection, context }) => {
        const address = connection.messageAddress;
        const session = context.weftSocket.sessions.get(address.slice(address.indexOf('/') + 1));
        // The client may have left while it was opened.
        if (!session || session.ended) connection.close();
        else session.enter(connection);
      },
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

  /** Makes the document without a connection; the registry of live documents keeps it open. */
  async openForServer(key: DocumentKey): Promise<void> {
    const request = new Request('http://localhost');
    await this.createDocument(key, request, 'server', { isAuthenticated: true, readOnly: false });
  }

  /** Everything the constructor and the loading of a document have hooked up is there now: take it over. */
  override async loadDocument(
    ...args: Parameters<Hocuspocus<SocketContext>['loadDocument']>
  ): Promise<Document> {
    const document = await super.loadDocument(...args);
    this.core.documents.get(document.name as DocumentKey)?.takeOver(document, this.userHooks);
    return document;
  }
}

/** Hocuspocus takes any rejection of the hook as a veto, and logs those with a message. */
class KeepLoaded extends Error {
  constructor() {
    super('');
  }
}
