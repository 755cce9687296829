import { documentKey, nameOf, silentLogger } from '@weft/common';
import { describe, expect, test } from 'vitest';
import { type Role, RoleTable, VIEWER } from '../role.ts';
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

  test("P3.29 of the tenant's own roles give what the tenant means by them", async () => {
    const drafter: Role = { ...VIEWER, name: 'drafter', write: ['draft'] };
    const find = async () => new Map([['drafter', drafter]]);
    const alice = person('alice', { grants: { 'p*': 'drafter', plan: 'viewer', 'q*': 'nothing' } });
    const source = new TokenGrantSource({ roles: new RoleTable(), definitions: { find } });
    expect(source.names(alice, plan)).toEqual(['drafter']);
    expect(await source.resolve(alice, plan, { own: await find() })).toEqual({ roles: [drafter, VIEWER] });
    expect((await source.visible(alice)).map(({ pattern }) => pattern)).toEqual(['p*', 'plan']);
  });

  test('P3.29 of what can be no role give nothing, and nobody is asked for it', async () => {
    const alice = person('alice', { grants: { plan: 'a\0', 'p*': '\ud800', '*': 'x'.repeat(65) } });
    expect(source.names(alice, plan)).toEqual([]);
    expect(await source.resolve(alice, plan, { own: new Map() })).toEqual({ roles: [] });
  });

  test('P3.29 of a role that nobody defines are logged once', async () => {
    const logged: object[] = [];
    const logger = { ...silentLogger, warn: (fields: object) => void logged.push(fields) };
    const source = new TokenGrantSource({ roles: new RoleTable(), logger });
    const alice = person('alice', { grants: { plan: 'god' } });
    for (let times = 0; times < 3; times++) await source.resolve(alice, plan, { own: new Map() });
    expect(logged).toEqual([{ tenant: TENANT, role: 'god' }]);
  });
});
