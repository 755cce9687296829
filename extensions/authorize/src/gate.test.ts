import { expect, test } from 'vitest';
import { Gate } from './gate.ts';
import { EDITOR, OWNER, type Role, VIEWER } from './role.ts';
import type { GrantSource } from './source.ts';
import { person, plan } from './testing/fixtures.ts';

test('P3.28 an access that several sources give ends with the first of them, to be asked for anew', async () => {
  const until = (expiresAt: number): GrantSource => ({
    resolve: async () => ({ roles: [VIEWER], expiresAt }),
  });
  const gate = new Gate({ sources: [until(3_000), until(1_000), until(2_000)] });
  expect(await gate.resolve(person('alice'), plan)).toMatchObject({ expiresAt: 1_000 });
});

test('P4.8 who has revisions is asked first, and the others what holds since that revision', async () => {
  const asked: unknown[] = [];
  const revised = Promise.withResolvers<void>();
  const remembering: GrantSource = {
    resolve: async (_principal, _key, given) => {
      asked.push(given?.revision);
      return { roles: [EDITOR] };
    },
  };
  const log: GrantSource = {
    resolve: async () => {
      await revised.promise;
      return { roles: [], policyRev: 7 };
    },
    revisions: async () => new Map([[plan, 7]]),
  };
  const access = new Gate({ sources: [remembering, log] }).resolve(person('alice'), plan);
  expect(asked).toEqual([]);
  revised.resolve();
  expect(await access).toMatchObject({ role: { name: 'editor' }, policyRev: 7 });
  expect(asked).toEqual([7]);
});

test('P4.13 what the tenant means by a role that a source names comes with the revision, in the same answer', async () => {
  const drafter: Role = { ...VIEWER, name: 'drafter', write: ['draft'] };
  const asked: unknown[] = [];
  const naming: GrantSource = {
    names: () => ['drafter', 'drafter'],
    resolve: async (_principal, _key, given) => ({ roles: [given?.own?.get('drafter') ?? OWNER] }),
  };
  const log: GrantSource = {
    resolve: async (_principal, _key, given) => {
      asked.push(given?.names);
      return { roles: [], policyRev: 7, own: new Map([['drafter', drafter]]) };
    },
    revisions: async () => new Map([[plan, 7]]),
  };
  const gate = new Gate({ sources: [naming, log] });
  expect(await gate.resolve(person('alice'), plan)).toMatchObject({ role: drafter, policyRev: 7 });
  expect(asked).toEqual([['drafter']]);
});

test('P4.5 one source that cannot tell means no, whatever another says', async () => {
  const sources: GrantSource[] = [
    { resolve: async () => ({ roles: [EDITOR] }) },
    { resolve: () => Promise.reject(new Error('away')) },
  ];
  await expect(new Gate({ sources }).resolve(person('alice'), plan)).rejects.toMatchObject({
    code: 'permissions-unavailable',
  });
});

test('P8.4 where one source cannot be heard of changes, the others are left again', async () => {
  let listening = 0;
  const heard: GrantSource = {
    resolve: async () => ({ roles: [] }),
    watch: async () => {
      listening += 1;
      return async () => void (listening -= 1);
    },
  };
  const failing: GrantSource = { ...heard, watch: () => Promise.reject(new Error('no LISTEN here')) };
  await expect(new Gate({ sources: [heard, failing, heard] }).start()).rejects.toThrow('no LISTEN here');
  expect(listening).toBe(0);
});
