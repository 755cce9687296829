import { Connection, type Document, type Hocuspocus, type WebSocketLike } from '@hocuspocus/server';
import { FrameType, type ErrorCode, type Logger } from '@weft/common';
import { FrameReader } from '../wire/frame-reader.ts';
import { type FrameBody } from '../wire/frames.ts';

type Callbacks = Connection['callbacks'];

/** The client that a connection is of. */
export interface HookedClient {
  readonly wireSessionId: string | null;
  readonly socket: {
    readonly id: string;
    readonly request: Request;
    readonly readyState: number;
    close(code: ErrorCode): void;
  };
  send(body: FrameBody): void;
  /** A hook wants its session to end. */
  closedByHook(reason: string): void;
}

export interface HocuspocusConnectionOptions {
  readonly client: HookedClient;
  readonly document: Document;
  readonly readOnly: boolean;
  readonly context: unknown;
  readonly providerVersion: string | null;
  readonly callbacks: Callbacks;
}

/** What waits in Hocuspocus of a connection: nothing, since its frames go through the gateway. Shared, so frozen. */
const IDLE = { messageQueue: Object.freeze([]), processingPromise: Promise.resolve() };

/** Nobody's clients: whose presence is whose, the gateway knows. */
const ENTRY = { clients: new Set<never>() };

/**
 * A session as Hocuspocus and its users' hooks see it. Hocuspocus' own way of making one keeps five closures, a
 * timer, and the request with its parsed address for each; here they are shared or made when they are asked for,
 * which is a third of the memory of an idle connection.
 */
export class HocuspocusConnection extends Connection {
  private readonly client: HookedClient | undefined;

  constructor(options: HocuspocusConnectionOptions) {
    const { client, document, context, readOnly, providerVersion, callbacks } = options;
    const { request, id } = client.socket;
    super(
      new HookSocket(client),
      request,
      document,
      id,
      context,
      readOnly,
      client.wireSessionId,
      providerVersion,
    );
    document.connections.set(this, ENTRY);
    this.callbacks = callbacks;
    Object.assign(this, IDLE);
    this.client = client;
  }

  /** Frames that a hook or Hocuspocus sends: `address`, type, body. */
  override send(frame: Uint8Array): void {
    // Undefined while the base class greets with the presence, of which the gateway tells.
    if (this.client) relay(this.client, frame);
  }

  /** A hook wants the session to end. */
  override close(event?: { readonly reason?: string }): void {
    this.client?.closedByHook(event?.reason ?? 'Server closed the connection');
  }
}

/** The socket that hooks see: it can be written to and closed, and no more. */
class HookSocket implements WebSocketLike {
  private readonly client: HookedClient;

  constructor(client: HookedClient) {
    this.client = client;
  }

  get readyState(): number {
    return this.client.socket.readyState;
  }

  send(frame: Uint8Array): void {
    relay(this.client, frame);
  }

  close(): void {
    this.client.socket.close('frame-malformed');
  }
}

/** Of what Hocuspocus and hooks may send; the gateway sends the other kinds itself. */
const RELAYED = new Set<number>([FrameType.Auth, FrameType.Stateless, FrameType.Close]);

function relay(client: HookedClient, frame: Uint8Array): void {
  const reader = new FrameReader(frame);
  reader.string();
  const body = frame.subarray(reader.offset);
  if (RELAYED.has(reader.uint())) client.send(body);
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
