import { type DocumentKey, matchesPattern, nameOf, tenantOf } from '@weft/common';

/** Something about who may do what has changed for these documents. `pattern`: a name or `prefix*`. */
export interface PolicyChange {
  readonly tenant: string;
  readonly pattern: string;
}

export function affects({ tenant, pattern }: PolicyChange, key: DocumentKey): boolean {
  return tenantOf(key) === tenant && matchesPattern(pattern, nameOf(key));
}

/** The notification's payload: `tenant/name` or `tenant/prefix*`. A tenant has no slash. */
export function parseChange(payload: string): PolicyChange | undefined {
  const slash = payload.indexOf('/');
  if (slash < 1 || slash === payload.length - 1) return undefined;
  return { tenant: payload.slice(0, slash), pattern: payload.slice(slash + 1) };
}

/**
 * Every pattern that reaches a document of this name. Asking for all of them by equality lets the primary key
 * answer, however many patterns a tenant has; `LIKE` the other way round would read them all.
 */
export function patternsReaching(name: string): string[] {
  const patterns = [name, '*'];
  let prefix = '';
  for (const character of name) {
    prefix += character;
    patterns.push(`${prefix}*`);
  }
  return patterns;
}
