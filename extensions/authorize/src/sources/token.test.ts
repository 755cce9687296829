import { documentKey, nameOf } from '@weft/common';
import { describe, expect, test } from 'vitest';
import { RoleTable } from '../role.ts';
import { person, plan, TENANT } from '../testing/fixtures.ts';
import { grantSourceContract } from '../testing/source-contract.ts';
import { TokenGrantSource } from './token.ts';

const source = new TokenGrantSource({ roles: new RoleTable() });

grantSourceContract('token', async () => ({
  source,
  allow: async (principal, key, role) => ({
    ...principal,
    grants: Object.assign(Object.create(null) as object, { ...principal.grants, [nameOf(key)]: role }),
  }),
}));

describe('P3.29 grants in the token', () => {
  test('P3.29 reach by prefix, and add up', async () => {
    const alice = person('alice', { grants: { 'p*': 'viewer', plan: 'commenter', 'q*': 'owner' } });
    const { roles } = await source.resolve(alice, plan);
    expect(roles.map(({ name }) => name).sort()).toEqual(['commenter', 'viewer']);
    expect((await source.resolve(alice, documentKey(TENANT, 'q'))).roles).toHaveLength(1);
  });

  test('P3.29 of a role that nobody defines give nothing', async () => {
    expect((await source.resolve(person('a', { grants: { '*': 'god' } }), plan)).roles).toEqual([]);
  });
});
