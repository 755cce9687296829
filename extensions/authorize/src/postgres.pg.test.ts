import { createDatabase, until } from '@weft/harness';
import pg from 'pg';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { joinTransaction } from './postgres.ts';
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
  const given = joinTransaction(pool, undefined, async (tx) => {
    const { rows } = await tx.query('SELECT pg_backend_pid() AS pid');
    await pool.query('SELECT pg_terminate_backend($1)', [rows[0]?.pid]);
    await until(async () => !(await isConnected(rows[0]?.pid)));
    await tx.query('SELECT 1');
  });
  await expect(given).rejects.toThrow(expect.objectContaining({ code: 'permissions-unavailable' }));
  const next = await joinTransaction(pool, undefined, (tx) => tx.query<{ one: number }>('SELECT 1 AS one'));
  expect(next.rows).toEqual([{ one: 1 }]);
});

test('P1.5 a connection that was made while the database took no writes is given up when it does', async () => {
  const ours = new URL(await createDatabase(inject('postgresUrl')));
  const operator = new pg.Client({ connectionString: ours.href });
  await operator.connect();
  const takeWrites = (mode: 'on' | 'off') =>
    operator.query(`ALTER DATABASE ${ours.pathname.slice(1)} SET default_transaction_read_only = ${mode}`);
  await takeWrites('on');
  const single = new pg.Pool({ connectionString: ours.href, max: 1 });
  const write = () =>
    joinTransaction(single, undefined, (tx) => tx.query('CREATE TABLE written AS SELECT 1'));
  await expect(write()).rejects.toThrow(expect.objectContaining({ code: 'permissions-unavailable' }));
  // The operator's own connection is older than the setting.
  await takeWrites('off');
  await write();
  await Promise.all([single.end(), operator.end()]);
});
