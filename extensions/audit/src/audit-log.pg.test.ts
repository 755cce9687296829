import { createDatabase, until } from '@weft/harness';
import { migrate } from '@weft/postgres';
import pg from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, inject, test } from 'vitest';
import { silentLogger } from '@weft/common';
import { AuditLog } from './audit-log.ts';
import type { AuditEntry } from './entry.ts';

let pool: pg.Pool;
let tenant = '';
let tenants = 0;

beforeAll(async () => {
  pool = new pg.Pool({ connectionString: await createDatabase(inject('postgresUrl')) });
  await migrate({
    pool,
    directories: [new URL('../sql', import.meta.url).pathname],
    logger: silentLogger,
  });
});
afterAll(() => pool.end());
beforeEach(() => {
  tenant = `t${++tenants}`;
});

const refusal = (): AuditEntry => ({
  tenant,
  action: 'update',
  actor: 'mallory',
  document: 'plan',
  session: 's1',
  code: 'write-forbidden',
  detail: { root: 'default' },
});

interface Call {
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

/** A log whose inserts are answered by the test. */
function loggingBy() {
  const made: Call[] = [];
  const actions: unknown[] = [];
  const query = (_text: string, values: unknown[]) =>
    new Promise<void>((resolve, reject) => {
      actions.push(values[3]);
      made.push({ resolve, reject });
    });
  const log = new AuditLog({ pool: { query } as unknown as pg.Pool });
  /** The call of this number, counted from 1, when it is made. */
  const call = async (number: number): Promise<Call> => {
    await until(() => made.length >= number);
    return made[number - 1]!;
  };
  return { log, calls: Object.assign(call, { actions }) };
}

describe('P11.3 refusals and acts are kept', () => {
  test('P11.3 with who, what, where, when and why', async () => {
    const log = new AuditLog({ pool, clock: { now: () => 1_700_000_000_000 } });
    log.record(refusal());
    await log.flush();
    const { rows } = await log.list({ tenant });
    expect(rows).toEqual([
      {
        id: expect.any(Number) as number,
        at: 1_700_000_000_000,
        action: 'update',
        actor: 'mallory',
        document: 'plan',
        session: 's1',
        code: 'write-forbidden',
        count: 1,
        detail: { root: 'default' },
      },
    ]);
    await log.stop();
  });

  test('P11.3 by itself, without a flush', async () => {
    const log = new AuditLog({ pool, interval: 10 });
    log.record({ tenant, action: 'grant.put', actor: 'alice' });
    await until(async () => (await log.list({ tenant })).rows.length === 1);
    await log.stop();
  });

  test('P11.3 what is recorded with an act is there if, and only if, the act is committed', async () => {
    const log = new AuditLog({ pool });
    const client = await pool.connect();
    for (const end of ['ROLLBACK', 'COMMIT']) {
      await client.query('BEGIN');
      await log.recordIn(client, { tenant, action: end });
      await client.query(end);
    }
    client.release();
    expect((await log.list({ tenant })).rows.map(({ action }) => action)).toEqual(['COMMIT']);
  });

  test('P11.3 is filtered by document, actor and action, and never shows another tenant', async () => {
    const log = new AuditLog({ pool });
    log.record({ tenant, action: 'a', actor: 'alice', document: 'x' });
    log.record({ tenant, action: 'b', actor: 'bob', document: 'x' });
    log.record({ tenant: `${tenant}-other`, action: 'a', actor: 'alice', document: 'x' });
    await log.flush();
    const actions = async (filter: object) =>
      (await log.list({ tenant, ...filter })).rows.map(({ action }) => action);
    expect(await actions({ document: 'x' })).toEqual(['a', 'b']);
    expect(await actions({ actor: 'bob' })).toEqual(['b']);
    expect(await actions({ action: 'a', actor: 'alice' })).toEqual(['a']);
    expect(await actions({ actor: "x' OR true --" })).toEqual([]);
    await log.stop();
  });
});

describe('P11.4 whatever a hostile client makes us record', () => {
  test('P11.4 a flood becomes one row', async () => {
    const log = new AuditLog({ pool, clock: { now: () => 5_000 } });
    for (let n = 0; n < 1_000; n++) log.record(refusal());
    await log.flush();
    expect((await log.list({ tenant })).rows.map(({ count }) => count)).toEqual([1_000]);
    await log.stop();
  });

  test('P11.4 NUL, half surrogates, cycles and megabytes lose neither their row nor their neighbours', async () => {
    const log = new AuditLog({ pool });
    const cycle: Record<string, unknown> = {};
    cycle['self'] = cycle;
    log.record({ tenant, action: 'nul', actor: 'a\0b\ud800', detail: { 'k\0': '\0\ud800\\u0000' } });
    log.record({ tenant, action: 'cycle', detail: cycle });
    log.record({ tenant, action: 'bigint', detail: { n: 1n } });
    log.record({ tenant, action: 'large', actor: 'x'.repeat(1e6), detail: { text: 'x'.repeat(1e6) } });
    log.record({ tenant, action: 'neighbour' });
    await log.flush();
    const { rows } = await log.list({ tenant });
    expect(rows.map(({ action }) => action)).toEqual(['nul', 'cycle', 'bigint', 'large', 'neighbour']);
    expect(rows[0]?.detail).toEqual({ 'k\0': '\0\ud800\\u0000' });
    expect(rows[3]?.actor).toHaveLength(512);
    expect(rows[3]?.detail).toEqual({ omittedBytes: 1_000_011 });
    await log.stop();
  });
});

describe('P11.5 nothing is changed or lost', () => {
  test.each(['UPDATE audit SET actor = NULL', 'DELETE FROM audit', 'TRUNCATE audit'])(
    'P11.5 %s is refused',
    async (statement) => {
      const log = new AuditLog({ pool });
      await log.recordIn(pool, { tenant, action: 'kept' });
      await expect(pool.query(statement)).rejects.toThrow('append-only');
      expect((await log.list({ tenant })).rows).toHaveLength(1);
    },
  );

  test('P11.5 with the database away entries wait, and a lost answer adds nothing twice', async () => {
    const failing = new pg.Pool(pool.options);
    let failures = 2;
    const query = failing.query.bind(failing) as (text: string, values: unknown[]) => Promise<unknown>;
    failing.query = (async (text: string, values: unknown[]) => {
      const result = await query(text, values);
      if (text.startsWith('INSERT') && failures-- > 0) throw new Error('connection lost after the commit');
      return result;
    }) as typeof failing.query;
    const log = new AuditLog({ pool: failing, interval: 5 });
    log.record({ tenant, action: 'once' });
    await until(() => failures < 0);
    await log.stop();
    expect((await new AuditLog({ pool }).list({ tenant })).rows).toHaveLength(1);
    await failing.end();
  });

  test('P11.5 a reader that follows the cursor beside many writers sees every row once, in order', async () => {
    const log = new AuditLog({ pool });
    const total = 200;
    const writers = Array.from({ length: 8 }, async (_, writer) => {
      for (let n = 0; n < total / 8; n++) await log.recordIn(pool, { tenant, action: `${writer}.${n}` });
    });
    const seen: string[] = [];
    let after = 0;
    await until(
      async () => {
        const page = await log.list({ tenant, after, limit: 7 });
        after = page.next;
        seen.push(...page.rows.map(({ action }) => action));
        return seen.length >= total;
      },
      { interval: 0, timeout: 20_000 },
    );
    await Promise.all(writers);
    expect(new Set(seen).size).toBe(total);
    expect((await log.list({ tenant, after })).rows).toEqual([]);
  });

  test('P11.5 rows are read in order, however they lie in the table', async () => {
    for (const id of [9_000_003, 9_000_001, 9_000_002]) {
      await pool.query(
        `INSERT INTO audit (id, entry, tenant, at, action) OVERRIDING SYSTEM VALUE
         VALUES ($1, gen_random_uuid(), $2, now(), $3)`,
        [id, tenant, String(id)],
      );
    }
    const options = '-c enable_indexscan=off -c enable_bitmapscan=off -c enable_indexonlyscan=off';
    const scanning = new pg.Pool({ ...pool.options, options });
    const { rows, next } = await new AuditLog({ pool: scanning }).list({ tenant, limit: 2 });
    expect([rows.map(({ id }) => id), next]).toEqual([[9_000_001, 9_000_002], 9_000_002]);
    await scanning.end();
  });

  test('P11.5 what is being written is in one hand only', async () => {
    const { log, calls } = loggingBy();
    log.record({ tenant, action: 'a' });
    const flushes = [log.flush()];
    const first = await calls(1);
    log.record({ tenant, action: 'b' });
    flushes.push(log.flush());
    first.resolve();
    (await calls(2)).resolve();
    await Promise.all(flushes);
    expect(calls.actions).toEqual([['a'], ['b']]);
  });

  test('P11.5 a database that goes away while bad entries are looked for loses none', async () => {
    const { log, calls } = loggingBy();
    log.record({ tenant, action: 'a' });
    log.record({ tenant, action: 'b' });
    const failed = log.flush();
    (await calls(1)).reject(Object.assign(new Error('invalid'), { code: '22P02' }));
    (await calls(2)).reject(Object.assign(new Error('shutting down'), { code: '57P01' }));
    await expect(failed).rejects.toThrow('shutting down');
    const again = log.flush();
    (await calls(3)).resolve();
    await again;
    expect(calls.actions).toEqual([['a', 'b'], ['a'], ['a', 'b']]);
  });

  test('P11.5 record never throws, not even after the end', async () => {
    const log = new AuditLog({ pool });
    await log.stop();
    expect(() => log.record(refusal())).not.toThrow();
  });
});
