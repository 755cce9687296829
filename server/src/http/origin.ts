/** A page's origin against the configured list and the host that it asked for. */
export interface OriginCheck {
  /** The `Origin` header; programs that are not browsers send none. */
  readonly origin: string | undefined;
  /** The `Host` header. */
  readonly host: string | undefined;
  readonly allowed: readonly string[];
}

/**
 * WebSockets are exempt from the same-origin policy, so a page of any site could use a visitor's access. With
 * tokens in frames and headers, not in cookies, it has none to use; the check stays as the second wall.
 */
export function isOriginAllowed({ origin, host, allowed }: OriginCheck): boolean {
  if (origin === undefined) return true;
  if (allowed.includes('*') || allowed.includes(origin)) return true;
  return host !== undefined && URL.canParse(origin) && new URL(origin).host === host.toLowerCase();
}
