import { documentKey, nameOf, type DocumentKey } from '@weft/common';
import { until } from '@weft/harness';
import type pg from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, inject, test } from 'vitest';
import { ClientBindings } from './client-bindings.ts';
import { claimsFor, RememberedClaims } from './remembered-claims.ts';
import { openPool } from './testing/database.ts';
import { person } from './testing/fixtures.ts';

let pool: pg.Pool;
let remembered: RememberedClaims;
let key: DocumentKey;
let documents = 0;

beforeAll(async () => {
  pool = await openPool(inject('postgresUrl'));
  remembered = new RememberedClaims({ pool });
});
afterAll(() => pool.end());
beforeEach(() => {
  key = documentKey('acme', `plan${++documents}`);
});

const inAnHour = () => Math.floor(Date.now() / 1_000) * 1_000 + 3_600_000;
const told = (more: Parameters<typeof person>[1]) => ({
  key,
  person: 'alice',
  claims: claimsFor(person('alice', { expiresAt: inAnHour(), ...more }), key),
});

describe('P3.34 what the token of an absent author said', () => {
  test('P3.34 is what reaches the document, until the token ends', async () => {
    const expiresAt = inAnHour();
    const grants = { 'plan*': 'editor', other: 'owner' };
    await remembered.remember([told({ grants, groups: ['staff'], expiresAt })]);
    expect(await remembered.of(key, 'alice')).toEqual({
      groups: ['staff'],
      grants: { 'plan*': 'editor' },
      expiresAt,
    });
    expect(await remembered.of(key, 'bob')).toBeUndefined();
    expect(await remembered.of(documentKey('acme2', 'plan'), 'alice')).toBeUndefined();

    const soon = Date.now() + 300;
    await remembered.remember([told({ grants, expiresAt: soon })]);
    await until(async () => (await remembered.of(key, 'alice')) === undefined);
    expect(Date.now()).toBeGreaterThanOrEqual(soon - 5);
  });

  test('P3.34 is replaced by a newer token, also by one that says nothing', async () => {
    await remembered.remember([told({ grants: { '*': 'owner' }, groups: ['staff'] })]);
    await remembered.remember([told({ grants: { '*': 'viewer' } })]);
    expect(await remembered.of(key, 'alice')).toMatchObject({ groups: [], grants: { '*': 'viewer' } });
    await remembered.remember([told({ grants: { '*': 'owner' } }), told({})]);
    expect(await remembered.of(key, 'alice')).toBeUndefined();
  });

  test('P3.34 is kept with the first Yjs client of the person, and gone with the document', async () => {
    const bindings = new ClientBindings({ pool });
    const { claims } = told({ grants: { '*': 'editor' } });
    await bindings.bindAll(key, [1, 2], 'alice', { claims });
    expect(await bindings.claims.of(key, 'alice')).toEqual(claims);
    await bindings.bind(key, 3, 'alice');
    expect(await bindings.claims.of(key, 'alice')).toEqual(claims);
    await bindings.removeAll(key);
    expect(await bindings.claims.of(key, 'alice')).toBeUndefined();
  });

  test('P3.34 is removed when the token has ended, whoever else is at it', async () => {
    const rows = async () =>
      (
        await pool.query<{ person: string }>(
          'SELECT person FROM remembered_claims WHERE document = $1 ORDER BY person',
          [nameOf(key)],
        )
      ).rows.map(({ person: name }) => name);
    const grants = { '*': 'editor' };
    const ended = told({ grants, expiresAt: Date.now() - 60_000 });
    await remembered.remember(['ann', 'bob', 'cy'].map((name) => ({ ...ended, person: name })));
    await remembered.remember([told({ grants })]);
    const other = await pool.connect();
    await other.query('BEGIN');
    await other.query("SELECT FROM remembered_claims WHERE document = $1 AND person = 'bob' FOR UPDATE", [
      nameOf(key),
    ]);
    await remembered.removeEnded(1_000);
    expect(await rows()).toEqual(['alice', 'bob']);
    await other.query('COMMIT');
    other.release();
    expect(await remembered.removeEnded(1)).toBe(1);
    expect(await rows()).toEqual(['alice']);
  });

  test('P3.34 of many who come back at once is written together', async () => {
    let statements = 0;
    const counting = {
      query: (...args: Parameters<pg.Pool['query']>) => {
        statements += 1;
        return pool.query(...args);
      },
    } as unknown as pg.Pool;
    const many = new RememberedClaims({ pool: counting });
    for (let i = 0; i < 200; i++) {
      many.rememberSoon({ ...told({ grants: { '*': 'editor' } }), person: `p${i % 100}` });
    }
    await until(async () => (await remembered.of(key, 'p99')) !== undefined);
    expect(statements).toBeLessThanOrEqual(2);
    expect(await remembered.of(key, 'p0')).toBeDefined();
  });
});
