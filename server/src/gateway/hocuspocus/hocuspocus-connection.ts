import { Connection, type Document, type Hocuspocus, type WebSocketLike } from '@hocuspocus/server';
import type { Logger } from '@weft/common';
import type { Session } from '../session/session.ts';

type Callbacks = Connection['callbacks'];

export interface HocuspocusConnectionOptions {
  readonly session: Session;
  readonly document: Document;
  readonly readOnly: boolean;
  readonly context: unknown;
  readonly providerVersion: string | null;
  readonly callbacks: Callbacks;
}

/** What waits in Hocuspocus of a connection: nothing, since its frames go through the gateway. Shared, so never to be filled. */
const IDLE = { messageQueue: Object.freeze([]), processingPromise: Promise.resolve() };

/** Nobody's clients: whose presence is whose, the gateway knows. */
const ENTRY = { clients: new Set<never>() };

/**
 * A session as Hocuspocus and its users' hooks see it. Hocuspocus' own way of making one keeps five closures, a
 * timer, and the request with its parsed address for each; here they are shared or made when they are asked for,
 * which is a third of the memory of an idle connection.
 */
export class HocuspocusConnection extends Connection {
  private readonly session: Session | undefined;

  constructor(options: HocuspocusConnectionOptions) {
    const { session, document, context, readOnly, providerVersion, callbacks } = options;
    const { request, id } = session.socket;
    super(
      new HookSocket(session),
      request,
      document,
      id,
      context,
      readOnly,
      session.wireSessionId,
      providerVersion,
    );
    document.connections.set(this, ENTRY);
    this.callbacks = callbacks;
    Object.assign(this, IDLE);
    this.session = session;
  }

  /** Frames that a hook or Hocuspocus sends: `address`, type, body. */
  override send(frame: Uint8Array): void {
    // Undefined while the base class greets with the presence, of which the gateway tells.
    this.session?.relay(frame);
  }

  /** A hook wants the session to end. */
  override close(event?: { readonly reason?: string }): void {
    this.session?.closedByHook(event?.reason ?? 'Server closed the connection');
  }
}

/** The socket that hooks see: it can be written to and closed, and no more. */
class HookSocket implements WebSocketLike {
  private readonly session: Session;

  constructor(session: Session) {
    this.session = session;
  }

  get readyState(): number {
    return this.session.socket.readyState;
  }

  send(frame: Uint8Array): void {
    this.session.relay(frame);
  }

  close(): void {
    this.session.socket.close('frame-malformed');
  }
}

/** The callbacks of all connections: what Hocuspocus makes anew for each, with the connection as an argument. */
export function sharedCallbacks(hocuspocus: Hocuspocus, logger: Logger): Callbacks {
  return {
    onClose: [],
    beforeHandleMessage: (connection, update) =>
      hocuspocus.hooks('beforeHandleMessage', { ...about(hocuspocus, connection), connection, update }),
    afterHandleMessage: (connection, update) =>
      hocuspocus.hooks('afterHandleMessage', { ...about(hocuspocus, connection), connection, update }),
    beforeSync: (connection, { type, payload }) =>
      hocuspocus.hooks('beforeSync', { ...about(hocuspocus, connection), connection, type, payload }),
    statelessCallback: (payload) =>
      hocuspocus.hooks('onStateless', payload).catch((error: unknown) => {
        // Hocuspocus takes a rejection without a message for "nobody else need look".
        if (error instanceof Error && error.message)
          logger.warn({ err: error }, 'a hook failed on a message');
      }),
    onTokenSyncCallback: () => Promise.resolve(),
  };
}

/** What Hocuspocus tells every hook of a connection that is open. */
export function about(hocuspocus: Hocuspocus, { document, context, socketId, request }: Connection) {
  return {
    ...aboutRequest(request),
    instance: hocuspocus,
    clientsCount: document.getConnectionsCount(),
    context: context as unknown,
    document,
    documentName: document.name,
    socketId,
  };
}

export function aboutRequest(request: Request) {
  return { requestHeaders: request.headers, requestParameters: new URL(request.url).searchParams };
}
