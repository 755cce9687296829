import type { IncomingMessage } from 'node:http';

/** Ends a pattern that means every port of a host, as in `http://localhost:*`. */
const ANY_PORT = ':*';

/** Pages of this machine, from whatever development server they come. */
export const LOCAL_ORIGINS: readonly string[] = [
  'http://localhost:*',
  'http://127.0.0.1:*',
  'http://[::1]:*',
];

/** `*`, an origin as browsers send it (`scheme://host[:port]` and nothing more), or one with `*` for its port. */
export function isOriginPattern(value: string): boolean {
  if (value === '*') return true;
  const origin = withoutAnyPort(value) ?? value;
  // A `*` in a host parses, and matches nothing.
  return /^https?:[^*]+$/.test(origin) && URL.canParse(origin) && new URL(origin).origin === origin;
}

export function matchesOrigin(origin: string, patterns: readonly string[]): boolean {
  return patterns.some((pattern) => pattern === '*' || pattern === origin || isAnyPortOf(pattern, origin));
}

function isAnyPortOf(pattern: string, origin: string): boolean {
  const host = withoutAnyPort(pattern);
  if (host === undefined || !origin.startsWith(host)) return false;
  return /^(:\d+)?$/.test(origin.slice(host.length));
}

function withoutAnyPort(pattern: string): string | undefined {
  return pattern.endsWith(ANY_PORT) ? pattern.slice(0, -ANY_PORT.length) : undefined;
}

/**
 * Whether a page of this origin may open a socket, and read answers. Without the check any page that a person visits could
 * connect in their name where a cookie or a network position authenticates. Requests without an Origin are not browsers.
 *
 * @param allowed patterns of origins; the server's own is always allowed.
 */
export function allowsOrigin(
  { headers: { origin, host } }: Pick<IncomingMessage, 'headers'>,
  allowed: readonly string[],
): boolean {
  if (origin === undefined || matchesOrigin(origin, allowed)) return true;
  if (!URL.canParse(origin)) return false;
  return new URL(origin).host === host;
}
