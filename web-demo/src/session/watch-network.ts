import { WebSocketStatus, type HocuspocusProvider } from '@hocuspocus/provider';

/** After the browser says "offline": how long the server has to prove otherwise. */
const PROBE_MS = 2_500;

export interface NetworkWatch {
  readonly provider: HocuspocusProvider;
  /** The server does not answer any more. */
  readonly onSilent: () => void;
  /** Whether to try again when the network is back. */
  readonly wanted: () => boolean;
}

/**
 * A browser notices a lost network long before a silent WebSocket does. But "offline" is also said on a machine
 * without network that talks to itself, so the server is asked first.
 *
 * @returns stops watching
 */
export function watchNetwork({ provider, onSilent, wanted }: NetworkWatch): () => void {
  const socket = provider.configuration.websocketProvider;
  let probe: ReturnType<typeof setTimeout> | undefined;
  let silent = false;

  const onOffline = (): void => {
    const askedAt = Date.now();
    provider.forceSync();
    clearTimeout(probe);
    probe = setTimeout(() => {
      silent = socket.lastMessageReceived < askedAt;
      if (silent) onSilent();
    }, PROBE_MS);
  };
  const onOnline = (): void => {
    clearTimeout(probe);
    const dead = silent;
    silent = false;
    if (!wanted()) return;
    if (socket.status !== WebSocketStatus.Connected) void socket.connect();
    // It may be dead without knowing it.
    else if (dead) socket.webSocket?.close();
  };

  window.addEventListener('offline', onOffline);
  window.addEventListener('online', onOnline);
  return () => {
    clearTimeout(probe);
    window.removeEventListener('offline', onOffline);
    window.removeEventListener('online', onOnline);
  };
}
