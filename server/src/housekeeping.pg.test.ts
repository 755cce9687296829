import { silentLogger } from '@weft/common';
import { createDatabase, until } from '@weft/harness';
import { migrate } from '@weft/postgres';
import pg from 'pg';
import { afterEach, beforeEach, expect, inject, test } from 'vitest';
import { Housekeeping } from './housekeeping.ts';
import { MIGRATION_DIRECTORIES } from './migrations.ts';
import { createMetrics } from './telemetry/metrics.ts';
import { startTestServer } from './testing/running-server.ts';

const HOUR = 3_600_000;

let databaseUrl: string;
let pool: pg.Pool;

beforeEach(async () => {
  databaseUrl = await createDatabase(inject('postgresUrl'));
  pool = new pg.Pool({ connectionString: databaseUrl });
  await migrate({ pool, directories: MIGRATION_DIRECTORIES, logger: silentLogger });
});
afterEach(() => pool.end());

/** Entries of the audit log that are two hours old. */
async function recordOld(entries: number): Promise<void> {
  await pool.query(
    `INSERT INTO audit (entry, tenant, at, action)
     SELECT gen_random_uuid(), 'acme', now() - interval '2 hours', 'old' FROM generate_series(1, $1)`,
    [entries],
  );
}

async function count(rows: string): Promise<number> {
  const answer = await pool.query<{ n: number }>(`SELECT count(*)::int AS n FROM ${rows}`);
  return answer.rows[0]?.n ?? -1;
}

const OLD = "audit WHERE action = 'old'";

test('P11.8 is done by an instance without a worker, in portions, and for ever is for ever', async () => {
  await recordOld(2_500);
  const server = await startTestServer({ DATABASE_URL: databaseUrl });
  await server.remove();
  expect(await count(OLD)).toBe(2_500);
  const forgetting = await startTestServer({ DATABASE_URL: databaseUrl, WEFT_AUDIT_RETENTION: '1h' });
  await until(async () => (await count(OLD)) === 0);
  expect(await count("audit WHERE action = 'audit.prune'")).toBe(3);
  await forgetting.remove();
});

test('P11.8 one table that cannot be cleared keeps no other from it, is counted and said, and is tried again', async () => {
  await recordOld(3);
  await pool.query('ALTER TABLE remembered_claims RENAME TO hidden');
  const said: string[] = [];
  const say = (_: object, message: string) => void said.push(message);
  const metrics = createMetrics({ instance: 'a' });
  const housekeeping = new Housekeeping({
    config: { auditRetention: HOUR },
    database: { pool },
    logger: { ...silentLogger, info: say, warn: say },
    metrics,
  });
  await housekeeping.run();
  expect(housekeeping.failing).toBe(true);
  expect(said).toEqual(['old rows could not be removed', 'old rows removed']);
  await pool.query('ALTER TABLE hidden RENAME TO remembered_claims');
  await housekeeping.run();
  expect(housekeeping.failing).toBe(false);
  expect(said).toHaveLength(2);
  expect(await metrics.read('weft_housekeeping_removed_rows_total')).toContainEqual({
    value: 3,
    labels: expect.objectContaining({ table: 'audit' }) as object,
  });
  const rounds = await metrics.read('weft_housekeeping_rounds_total');
  expect(rounds.map(({ value, labels }) => [labels['result'], value])).toEqual([
    ['failed', 1],
    ['ok', 1],
  ]);
});
