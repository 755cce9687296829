import { documentKey, type DocumentKey, type Principal } from '@weft/common';
import { describe, expect, test } from 'vitest';
import { strongestOf } from '../role.ts';
import type { GrantSource } from '../source.ts';
import { person, plan, TENANT } from './fixtures.ts';

export interface SourceUnderTest {
  readonly source: GrantSource;
  /** Makes the source say so for a person and a document; returns the person with what the source looks at. */
  readonly allow: (principal: Principal, key: DocumentKey, role: string) => Promise<Principal>;
}

/** What every source of grants does, whatever it asks. */
export function grantSourceContract(name: string, setUp: () => Promise<SourceUnderTest>): void {
  const nameOfRole = async (source: GrantSource, principal: Principal, key: DocumentKey) =>
    strongestOf((await source.resolve(principal, key)).roles)?.name;

  describe(`P3.33 a source of grants: ${name}`, () => {
    test('P3.33 gives nothing to whom nothing was given', async () => {
      const { source } = await setUp();
      expect((await source.resolve(person('nobody'), plan)).roles).toEqual([]);
    });

    test.each(['viewer', 'commenter', 'editor', 'owner'])('P3.33 gives the role %s', async (role) => {
      const { source, allow } = await setUp();
      const alice = await allow(person('alice'), plan, role);
      expect(await nameOfRole(source, alice, plan)).toBe(role);
    });

    test('P3.33 for that person and that document alone', async () => {
      const { source, allow } = await setUp();
      const alice = await allow(person('alice'), plan, 'editor');
      expect(await nameOfRole(source, alice, documentKey(TENANT, 'plan2'))).toBeUndefined();
      expect(await nameOfRole(source, alice, documentKey(TENANT, 'pla'))).toBeUndefined();
      expect(await nameOfRole(source, alice, documentKey(TENANT, 'PLAN'))).toBeUndefined();
      expect(await nameOfRole(source, person('bob'), plan)).toBeUndefined();
      expect(await nameOfRole(source, person('alice '), plan)).toBeUndefined();
    });

    test('P3.33 for documents and people called like anything', async () => {
      const { source, allow } = await setUp();
      for (const odd of ['constructor', '__proto__', "a' OR 1=1 --", 'ü/%_\\ x', '😀'.repeat(60)]) {
        const key = documentKey(TENANT, odd);
        expect(await nameOfRole(source, person(odd), key)).toBeUndefined();
        const principal = await allow(person(odd), key, 'editor');
        expect(await nameOfRole(source, principal, key)).toBe('editor');
      }
    });
  });
}
