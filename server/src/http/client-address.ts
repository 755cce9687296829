import type { IncomingMessage } from 'node:http';
import proxyaddr from '@fastify/proxy-addr';

/** Whose connection it is, seen through the load balancers that are trusted, by the same rule as `request.ip`. */
export function clientAddress(trustedProxies: readonly string[]): (request: IncomingMessage) => string {
  if (trustedProxies.length === 0) return (request) => request.socket.remoteAddress ?? 'unknown';
  const trusted = proxyaddr.compile([...trustedProxies]);
  return (request) => proxyaddr(request, trusted);
}
