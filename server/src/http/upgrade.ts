import { EventEmitter, once } from 'node:events';
import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import type { ErrorCode, Logger } from '@weft/common';
import { refuseSocket } from './refuse-socket.ts';
import type { Phase } from './health.ts';

export const COLLAB_PATH = '/collab';

export interface UpgradeOptions {
  readonly gateway: { handleUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void };
  readonly phase: () => Phase;
  readonly logger: Logger;
}

export interface Upgrades {
  /** Resolves when all have ended, or after so many milliseconds. */
  ended(patience: number): Promise<void>;
  /** Cuts what the gateway has left open: an upgraded socket would keep the server from closing. */
  destroy(): void;
}

/** Hands WebSocket upgrades of {@link COLLAB_PATH} to the gateway and refuses all others. */
export function acceptUpgrades(server: Server, { gateway, phase, logger }: UpgradeOptions): Upgrades {
  const sockets = new Set<Duplex>();
  const lastEnded = new EventEmitter();
  // The same functions for all sockets: a closure of its own would be kept as long as the connection.
  const failed = (error: Error) => logger.debug({ err: error }, 'socket failed');
  const closed = function (this: Duplex) {
    sockets.delete(this);
    if (sockets.size === 0) lastEnded.emit('ended');
  };
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    // Without a listener a reset during the handshake would be an uncaught exception.
    socket.on('error', failed);
    const refusal = refusalOf(request, phase());
    if (refusal) return refuseSocket(socket, refusal);
    sockets.add(socket);
    socket.on('close', closed);
    try {
      gateway.handleUpgrade(request, socket, head);
      // A WebSocket listens itself.
      if (socket.listenerCount('error') > 1) socket.off('error', failed);
    } catch (error) {
      logger.error({ err: error }, 'upgrade failed');
      refuseSocket(socket, 'internal');
    }
  });
  return {
    async ended(patience) {
      if (sockets.size === 0) return;
      const signal = AbortSignal.timeout(patience);
      await once(lastEnded, 'ended', { signal }).catch(() => undefined);
    },
    destroy() {
      for (const socket of sockets) socket.destroy();
    },
  };
}

/**
 * Whoever would speak another protocol is answered in this one, as if they had not offered it (RFC 9110, 7.8): Java's
 * HTTP client offers HTTP/2 with every request.
 */
export function isWebSocketUpgrade({ headers }: IncomingMessage): boolean {
  return headers.upgrade?.toLowerCase() === 'websocket';
}

function refusalOf(request: IncomingMessage, phase: Phase): ErrorCode | undefined {
  const path = request.url?.split('?', 1)[0];
  if (path !== COLLAB_PATH && path !== `${COLLAB_PATH}/`) return 'not-found';
  if (phase === 'starting') return 'server-starting';
  return phase === 'ready' ? undefined : 'server-draining';
}
