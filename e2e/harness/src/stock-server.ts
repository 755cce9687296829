import { createServer } from 'node:http';
import type { Hocuspocus, WebSocketLike } from '@hocuspocus/server';
import { WebSocketServer, type WebSocket } from 'ws';

export interface StockServerOptions {
  /** What Hocuspocus is given instead of the socket itself. */
  readonly wrap?: (socket: WebSocket) => WebSocketLike;
}

/** A stock Hocuspocus behind a port of loopback, as its users write it. */
export interface StockServer {
  readonly url: string;
  /** Cuts every connection and closes the port. The extensions are the caller's to end. */
  close(): Promise<void>;
}

export async function serveStock(
  hocuspocus: Hocuspocus,
  { wrap = (socket) => socket }: StockServerOptions = {},
): Promise<StockServer> {
  const http = createServer();
  const sockets = new WebSocketServer({ server: http });
  sockets.on('connection', (socket, request) => {
    const target = new Request(`http://localhost${request.url ?? '/'}`);
    const connection = hocuspocus.handleConnection(wrap(socket), target);
    socket.on('message', (bytes: Buffer) => connection.handleMessage(new Uint8Array(bytes)));
    socket.on('close', (code, reason) => connection.handleClose({ code, reason: reason.toString() }));
  });
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  const address = http.address();
  if (!address || typeof address === 'string') throw new Error('The server has no port');
  return {
    url: `ws://127.0.0.1:${address.port}`,
    close: async () => {
      for (const socket of sockets.clients) socket.terminate();
      await new Promise((resolve) => http.close(resolve));
    },
  };
}
