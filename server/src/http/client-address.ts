import type { IncomingMessage } from 'node:http';
import proxyaddr from '@fastify/proxy-addr';
import ipaddr from 'ipaddr.js';

/** Of an IPv6 address what is assigned to one customer at least: everybody has all addresses that begin with it. */
const IPV6_PREFIX = 64;

/**
 * Whose connection it is, seen through the load balancers that are trusted, by the same rule as `request.ip`, and as it is
 * counted: see {@link countedAddress}.
 */
export function clientAddress(trustedProxies: readonly string[]): (request: IncomingMessage) => string {
  if (trustedProxies.length === 0)
    return (request) => countedAddress(request.socket.remoteAddress ?? 'unknown');
  const trusted = proxyaddr.compile([...trustedProxies]);
  return (request) => countedAddress(proxyaddr(request, trusted));
}

/** An IPv4 address however it is written, the network of an IPv6 one; what a load balancer gives instead of one stays. */
function countedAddress(address: string): string {
  if (!ipaddr.isValid(address)) return address;
  const parsed = ipaddr.process(address);
  if (parsed.kind() === 'ipv4') return parsed.toString();
  return ipaddr.IPv6.networkAddressFromCIDR(`${parsed.toNormalizedString()}/${IPV6_PREFIX}`).toString();
}
