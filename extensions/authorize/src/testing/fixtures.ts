import { documentKey, type Principal } from '@weft/common';

export const TENANT = 'acme';
export const plan = documentKey(TENANT, 'plan');

export function person(user: string, more: Partial<Principal> = {}): Principal {
  return {
    tenant: TENANT,
    user,
    name: undefined,
    color: undefined,
    groups: [],
    scopes: [],
    grants: {},
    expiresAt: Number.MAX_SAFE_INTEGER,
    tokenId: undefined,
    ...more,
  };
}
