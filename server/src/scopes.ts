import type { Principal } from '@weft/common';

/** What a token may allow besides the roles on documents. Others in its `scope` are somebody else's, and left alone. */
export const SCOPES = ['admin', 'create'] as const;
export type Scope = (typeof SCOPES)[number];

export function hasScope({ scopes }: Principal, scope: Scope): boolean {
  return scopes.includes(scope);
}
