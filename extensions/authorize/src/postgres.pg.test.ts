import { until } from '@weft/harness';
import type pg from 'pg';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { inTransaction } from './postgres.ts';
import { openPool } from './testing/database.ts';

let pool: pg.Pool;
beforeAll(async () => {
  pool = await openPool(inject('postgresUrl'));
});
afterAll(() => pool.end());

/** Whether this connection is still there. */
async function isConnected(pid: unknown): Promise<boolean> {
  const { rows } = await pool.query('SELECT 1 FROM pg_stat_activity WHERE pid = $1', [pid]);
  return rows.length > 0;
}

test('P1.16 a connection that breaks in the middle of a transaction fails that transaction, and not the process', async () => {
  const given = inTransaction(pool, undefined, async (tx) => {
    const { rows } = await tx.query('SELECT pg_backend_pid() AS pid');
    await pool.query('SELECT pg_terminate_backend($1)', [rows[0]?.pid]);
    await until(async () => !(await isConnected(rows[0]?.pid)));
    await tx.query('SELECT 1');
  });
  await expect(given).rejects.toThrow(expect.objectContaining({ code: 'permissions-unavailable' }));
  const next = await inTransaction(pool, undefined, (tx) => tx.query<{ one: number }>('SELECT 1 AS one'));
  expect(next.rows).toEqual([{ one: 1 }]);
});
