import { HocuspocusProvider, HocuspocusProviderWebsocket } from '@hocuspocus/provider';
import type { ServerEvent } from '@weft/common';
import * as Y from 'yjs';
import type { AckLedger } from './acks.ts';
import { until } from './wait.ts';
import { WireTap } from './wire-tap.ts';

export interface SocketOptions {
  readonly url: string;
  /** Of the page that would connect; programs send none. */
  readonly origin?: string;
}

/** The stock provider's socket, watched. Several documents can share one. */
export interface ClientSocket {
  readonly provider: HocuspocusProviderWebsocket;
  readonly tap: WireTap;
  close(): void;
}

export function openSocket({ url, origin }: SocketOptions): ClientSocket {
  const tap = new WireTap();
  const provider = new HocuspocusProviderWebsocket({
    url,
    WebSocketPolyfill: tap.polyfill({ ...(origin && { origin }) }),
    // Stock waits 1 s, then up to 30 s; a test that restarts a server would mostly wait.
    delay: 100,
    minDelay: 50,
    maxDelay: 400,
    factor: 1.5,
  });
  return { provider, tap, close: () => provider.destroy() };
}

export interface SessionOptions {
  readonly url: string;
  readonly name: string;
  readonly token: string | (() => string) | (() => Promise<string>);
  /** Shared with other documents; none: its own. */
  readonly socket?: ClientSocket;
  readonly document?: Y.Doc;
  readonly sessionAwareness?: boolean;
  readonly user?: { readonly name: string; readonly color?: string };
}

/** One person's open document through the stock provider. */
export interface Session {
  readonly provider: HocuspocusProvider;
  readonly document: Y.Doc;
  /** The shared text that tests write in. */
  readonly text: Y.Text;
  readonly acks: AckLedger;
  readonly socket: ClientSocket;
  /** What the server said beyond the Hocuspocus protocol. */
  readonly events: readonly ServerEvent[];
  readonly authenticationFailures: readonly string[];
  /** Ends of this document's session or of its connection, in order. */
  readonly closes: readonly { readonly code: number; readonly reason: string }[];
  readonly isSaved: boolean;
  /** How it stands, for the message of a failure. */
  describe(): string;
  /** The first exchange is done. */
  opened(timeout?: number): Promise<void>;
  /** Everything that this client has is acknowledged. */
  saved(timeout?: number): Promise<void>;
  event<K extends ServerEvent['weft']>(kind: K, timeout?: number): Promise<Extract<ServerEvent, { weft: K }>>;
  close(): void;
}

function parseEvent(payload: string): ServerEvent | undefined {
  try {
    const value = JSON.parse(payload) as Partial<ServerEvent> | null;
    return value && typeof value === 'object' && 'weft' in value ? (value as ServerEvent) : undefined;
  } catch {
    return undefined;
  }
}

export function openSession(options: SessionOptions): Session {
  const socket = options.socket ?? openSocket({ url: options.url });
  const document = options.document ?? new Y.Doc();
  const events: ServerEvent[] = [];
  const authenticationFailures: string[] = [];
  const closes: { code: number; reason: string }[] = [];
  const provider = new HocuspocusProvider({
    websocketProvider: socket.provider,
    name: options.name,
    document,
    token: options.token,
    sessionAwareness: options.sessionAwareness ?? false,
    onStateless: ({ payload }) => {
      const event = parseEvent(payload);
      if (event) events.push(event);
    },
    onAuthenticationFailed: ({ reason }) => authenticationFailures.push(reason),
    onClose: ({ event }) => closes.push({ code: event.code, reason: event.reason }),
  });
  if (options.user) provider.setAwarenessField('user', options.user);
  provider.attach();
  const acks = socket.tap.ledger(provider.effectiveName);
  const describe = () =>
    JSON.stringify({
      synced: provider.synced,
      unsynced: provider.unsyncedChanges,
      pending: acks.pending,
      refused: acks.refused.length,
      events,
      authenticationFailures,
      closes: closes.slice(-5),
    });
  const explain = (error: unknown) => {
    throw new Error(`${options.name}: ${String(error)} ${describe()}`, { cause: error });
  };

  const session: Session = {
    provider,
    document,
    text: document.getText('body'),
    acks,
    socket,
    events,
    authenticationFailures,
    closes,
    describe,
    get isSaved() {
      return (
        provider.synced && provider.isAuthenticated && !provider.hasUnsyncedChanges && acks.pending === 0
      );
    },
    async opened(timeout = 15_000) {
      await until(() => provider.isAuthenticated && provider.synced, { timeout, what: 'opening' }).catch(
        explain,
      );
    },
    async saved(timeout = 20_000) {
      await until(() => session.isSaved, { timeout, what: 'everything to be saved' }).catch(explain);
    },
    async event<K extends ServerEvent['weft']>(kind: K, timeout = 5_000) {
      const found = await until(() => events.find((event) => event.weft === kind), {
        timeout,
        what: `the server's event ${kind}`,
      }).catch(explain);
      return found as Extract<ServerEvent, { weft: K }>;
    },
    close() {
      provider.destroy();
      if (!options.socket) socket.close();
    },
  };
  return session;
}
