import { documentKey, nameOf, type DocumentKey, type WeftError } from '@weft/common';
import { lockAwaited } from '@weft/harness';
import pg from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, inject, test } from 'vitest';
import { ClientBindings } from './client-bindings.ts';
import { openPool } from './testing/database.ts';

let pool: pg.Pool;
let key: DocumentKey;
let documents = 0;

beforeAll(async () => {
  pool = await openPool(inject('postgresUrl'));
});
afterAll(() => pool.end());
beforeEach(() => {
  key = documentKey('acme', `d${++documents}`);
});

async function opened(maxCached?: number): Promise<ClientBindings> {
  const bindings = new ClientBindings({ pool, ...(maxCached !== undefined && { maxCached }) });
  await bindings.load(key);
  return bindings;
}

describe('P3.19 a Yjs client id belongs to the first who shows it', () => {
  test('P3.19 on this instance and every other, also after a restart', async () => {
    const one = await opened();
    const two = await opened();
    expect(await one.bind(key, 7, 'alice')).toBe('own');
    expect(await one.bind(key, 7, 'alice')).toBe('own');
    expect(await one.bind(key, 7, 'mallory')).toBe('taken');
    expect(await two.bind(key, 7, 'mallory')).toBe('taken');
    const restarted = await opened();
    expect(restarted.ownerOf(key, 7)).toBe('alice');
    expect(await restarted.bind(key, 7, 'mallory')).toBe('taken');
  });

  test('P3.19 in this document alone; a person may have several', async () => {
    const bindings = await opened();
    const other = documentKey('acme', `${key}-other`);
    expect(await bindings.bind(key, 7, 'alice')).toBe('own');
    expect(await bindings.bind(key, 8, 'alice')).toBe('own');
    expect(await bindings.bind(other, 7, 'bob')).toBe('own');
    expect(await bindings.bind(other, 7, 'alice')).toBe('taken');
    expect(bindings.ownerOf(other, 7)).toBeUndefined();
  });

  test('P3.19 of many who reach for one id at once, on several instances, one has it', async () => {
    const instances = await Promise.all([opened(), opened(), opened()]);
    for (let id = 0; id < 20; id++) {
      const outcomes = await Promise.all(
        Array.from({ length: 12 }, async (_, n) => instances[n % 3]?.bind(key, id, `p${n % 4}`)),
      );
      const winners = new Set(outcomes.flatMap((outcome, n) => (outcome === 'own' ? [`p${n % 4}`] : [])));
      expect(winners.size).toBe(1);
      // Whoever won is told so wherever they asked.
      expect(outcomes.filter((outcome) => outcome === 'own')).toHaveLength(3);
    }
  });

  test('P3.19 two instances that are asked about the same ids in another order do not wait for each other', async () => {
    const [one, two] = [await opened(), await opened()];
    const blocker = await pool.connect();
    await blocker.query('BEGIN');
    await blocker.query(
      "INSERT INTO client_bindings (tenant, document, client_id, person) VALUES ($1, $2, 2, 'carol')",
      ['acme', nameOf(key)],
    );
    const outcomes = Promise.all([
      // The first of each goes alone, and those after it together.
      one.bindAll(key, [10, 1, 2, 3], 'alice'),
      two.bindAll(key, [20, 3, 2, 1], 'bob'),
    ]);
    await lockAwaited(pool, 2);
    await blocker.query('COMMIT');
    blocker.release();
    const [[, ...alice], [, ...bob]] = await outcomes;
    const ownersOf = (n: number) => [alice[n], bob[2 - n]].filter((outcome) => outcome === 'own').length;
    expect([0, 1, 2].map(ownersOf)).toEqual([1, 0, 1]);
  });

  test('P3.19 the largest client id', async () => {
    const bindings = await opened();
    expect(await bindings.bind(key, Number.MAX_SAFE_INTEGER, 'alice')).toBe('own');
    expect(bindings.ownerOf(key, Number.MAX_SAFE_INTEGER)).toBe('alice');
  });

  test('P3.19 what another instance bound meanwhile is found by asking', async () => {
    const one = await opened();
    const two = await opened();
    await one.bind(key, 7, 'alice');
    expect(two.ownerOf(key, 7)).toBeUndefined();
    expect(await two.owners(key, [7, 8])).toEqual(new Map([[7, 'alice']]));
    expect(two.ownerOf(key, 7)).toBe('alice');
  });

  test('P3.19 are gone with their document', async () => {
    const bindings = await opened();
    await bindings.bind(key, 7, 'alice');
    await bindings.removeAll(key);
    await bindings.load(key);
    expect(await bindings.bind(key, 7, 'bob')).toBe('own');
  });
});

describe('P7.8 bindings are bounded', () => {
  test('P7.8 in memory: what was forgotten is still not to be taken', async () => {
    const bindings = await opened(10);
    for (let id = 0; id < 30; id++) await bindings.bind(key, id, 'alice');
    expect(bindings.ownerOf(key, 0)).toBeUndefined();
    expect(bindings.ownerOf(key, 29)).toBe('alice');
    expect(await bindings.bind(key, 0, 'mallory')).toBe('taken');
    const reopened = await opened(10);
    expect([29, 20, 19].map((id) => reopened.ownerOf(key, id))).toEqual(['alice', 'alice', undefined]);
    await reopened.bind(key, 30, 'alice');
    expect([29, 20].map((id) => reopened.ownerOf(key, id))).toEqual(['alice', undefined]);
  });

  test('P7.8 while they wait, and those who wait share statements', async () => {
    const counting = new pg.Pool(pool.options);
    let statements = 0;
    const query = counting.query.bind(counting);
    counting.query = ((...args: Parameters<typeof query>) => {
      statements += 1;
      return query(...args);
    }) as typeof counting.query;
    const bindings = new ClientBindings({ pool: counting, maxPending: 500 });
    const outcomes = await Promise.allSettled(
      Array.from({ length: 600 }, (_, id) => bindings.bind(key, id, 'alice')),
    );
    const accepted = outcomes.filter(({ status }) => status === 'fulfilled');
    expect(accepted.length).toBeGreaterThanOrEqual(500);
    expect(accepted.length).toBeLessThan(600);
    expect(statements).toBeLessThanOrEqual(4);
    await counting.end();
  });
});

describe('P7.8 new ids are bounded per person and document', () => {
  test('P7.8 past the bound nothing is bound, and what is bound goes on', async () => {
    const asked: [DocumentKey, string, number][] = [];
    const bindings = new ClientBindings({
      pool,
      admit: (...question) => asked.push(question) <= 2,
    });
    await bindings.load(key);
    expect(await bindings.bindAll(key, [1, 2, 3], 'alice')).toEqual(['own', 'own', 'own']);
    expect(await bindings.bindAll(key, [3, 4], 'alice')).toEqual(['own', 'own']);
    const refused = await bindings.bindAll(key, [4, 5], 'alice').catch((error: WeftError) => error.code);
    expect(refused).toBe('too-many-client-ids');
    expect(await bindings.bind(key, 4, 'alice')).toBe('own');
    expect(await bindings.bind(key, 4, 'mallory')).toBe('taken');
    expect(await opened().then((other) => other.ownerOf(key, 5))).toBeUndefined();
    expect(asked).toEqual([
      [key, 'alice', 3],
      [key, 'alice', 1],
      [key, 'alice', 1],
    ]);
  });
});

describe('P4.9 with the database away', () => {
  test('P4.9 known ids go on, new ones are refused, and both work again when it is back', async () => {
    const client = new pg.Pool(pool.options);
    const bindings = new ClientBindings({ pool: client });
    await bindings.load(key);
    await bindings.bind(key, 1, 'alice');
    const query = client.query.bind(client);
    client.query = () => Promise.reject(new Error('connection refused'));
    expect(await bindings.bind(key, 1, 'alice')).toBe('own');
    const refused = await bindings.bind(key, 2, 'alice').catch((error: WeftError) => error.code);
    expect(refused).toBe('permissions-unavailable');
    client.query = query;
    expect(await bindings.bind(key, 2, 'alice')).toBe('own');
    await client.end();
  });
});

describe('P3.26 who makes a deleted name again', () => {
  test('P3.26 is not told of Yjs clients that waited to be bound while the old document was deleted', async () => {
    const bindings = await opened();
    const other = documentKey('acme', `${nameOf(key)} other`);
    const holder = await pool.connect();
    try {
      await holder.query('BEGIN');
      await holder.query("INSERT INTO client_bindings VALUES ('acme', $1, 1, 'holder')", [nameOf(other)]);
      // In flight, and held up; what comes after it waits.
      const first = bindings.bind(other, 1, 'bob').catch((error: unknown) => error);
      await lockAwaited(pool);
      const waiting = bindings.bind(key, 7, 'alice').catch((error: unknown) => error);
      await bindings.removeAll(key);
      bindings.unload(key);
      await holder.query('ROLLBACK');
      expect(await first).toBe('own');
      expect(await waiting).toMatchObject({ code: 'document-reload' });
      const { rowCount } = await pool.query('SELECT FROM client_bindings WHERE document = $1', [nameOf(key)]);
      expect(rowCount).toBe(0);
    } finally {
      holder.release();
    }
  });
});
