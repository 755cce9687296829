import type { IncomingMessage } from 'node:http';
import { matchesOrigin } from '../../origins.ts';

/**
 * Whether a page of this origin may open a socket. Without the check any page that a person visits could connect
 * in their name where a cookie or a network position authenticates. Requests without an Origin are not browsers.
 *
 * @param allowed patterns of origins; the server's own is always allowed.
 */
export function allowsOrigin(request: IncomingMessage, allowed: readonly string[]): boolean {
  const { origin, host } = request.headers;
  if (origin === undefined || matchesOrigin(origin, allowed)) return true;
  if (!URL.canParse(origin)) return false;
  return new URL(origin).host === host;
}
