import { mkdtempSync, rmSync, statSync, readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLogger } from '@weft/common';
import { provideEmbedded, until } from '@weft/harness';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openDatabase, requireOwnSessions, type Database } from '../index.ts';

const IDLE_IN_TRANSACTION_MS = 1_000;

describe('an embedded Postgres with many connections', () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'weft-embedded-'));
  let database: Database;

  beforeAll(async () => {
    provideEmbedded(dataDir);
    database = await openDatabase({
      dataDir,
      logger: silentLogger,
      idleInTransactionMs: IDLE_IN_TRANSACTION_MS,
      onFatal: (error) => {
        throw error;
      },
    });
    await database.pool.query('CREATE TABLE counters (id int PRIMARY KEY, value int NOT NULL)');
    await database.pool.query('INSERT INTO counters VALUES (1, 0), (2, 0)');
  }, 120_000);

  afterAll(async () => {
    await database.close();
    rmSync(dataDir, { recursive: true, force: true });
  });

  test('P10.2 looks to a client like a pooler that shares sessions, which is refused with what to do', async () => {
    await expect(requireOwnSessions(database.pool)).rejects.toThrow('session mode');
  });

  test('P10.13 keeps each connection’s unnamed statements apart', async () => {
    const results = await Promise.all(
      Array.from({ length: 200 }, async (_, n) => {
        const { rows } = await database.pool.query<{ value: number }>(`SELECT $1::int + ${n} AS value`, [n]);
        return rows[0]?.value === 2 * n;
      }),
    );
    expect(results.every(Boolean)).toBe(true);
  });

  test('P10.13 keeps prepared statements of one name on two connections apart', async () => {
    const [first, second] = await Promise.all([database.pool.connect(), database.pool.connect()]);
    try {
      const name = 'same';
      for (let round = 0; round < 3; round++) {
        const [a, b] = await Promise.all([
          first.query<{ n: number }>({ name, text: 'SELECT 1 AS n' }),
          second.query<{ n: number }>({ name, text: 'SELECT 2 AS n' }),
        ]);
        expect([a.rows[0]?.n, b.rows[0]?.n]).toEqual([1, 2]);
      }
    } finally {
      first.release();
      second.release();
    }
  });

  test('P10.13 runs read-modify-write transactions of many connections one after the other', async () => {
    const increment = async () => {
      const client = await database.pool.connect();
      try {
        await client.query('BEGIN');
        const { rows } = await client.query<{ value: number }>(
          'SELECT value FROM counters WHERE id = 1 FOR UPDATE',
        );
        await client.query('SELECT pg_advisory_xact_lock(7)');
        await client.query('UPDATE counters SET value = $1 WHERE id = 1', [(rows[0]?.value ?? 0) + 1]);
        await client.query('COMMIT');
      } finally {
        client.release();
      }
    };
    await Promise.all(Array.from({ length: 50 }, increment));
    const { rows } = await database.pool.query('SELECT value FROM counters WHERE id = 1');
    expect(rows).toEqual([{ value: 50 }]);
  });

  test('P10.13 goes on after an error inside a transaction and after a client that vanished inside one', async () => {
    const client = await database.pool.connect();
    await client.query('BEGIN');
    await client.query('UPDATE counters SET value = 99 WHERE id = 2');
    await expect(client.query('SELECT 1/0')).rejects.toThrow('division by zero');
    client.release(true);
    const { rows } = await database.pool.query('SELECT value FROM counters WHERE id = 2');
    expect(rows).toEqual([{ value: 0 }]);
  });

  test('P7.22 a transaction that waits for another connection is ended, and everybody goes on', async () => {
    const client = await database.pool.connect();
    client.on('error', () => undefined);
    await client.query('BEGIN');
    const other = database.pool.query('SELECT 1 AS one');
    await expect(other).resolves.toMatchObject({ rows: [{ one: 1 }] });
    await expect(client.query('COMMIT')).rejects.toThrow();
    client.release(true);
  });

  test('P4.7 notifications reach a listener on another connection, after the commit only', async () => {
    const heard: string[] = [];
    const stop = await database.notifications.listen('weft_test', (payload) => heard.push(payload));
    const client = await database.pool.connect();
    await client.query('BEGIN');
    await client.query("SELECT pg_notify('weft_test', 'rolled back')");
    await client.query('ROLLBACK');
    await client.query("SELECT pg_notify('weft_test', 'committed')");
    client.release();
    await until(() => heard.length > 0);
    expect(heard).toEqual(['committed']);
    await stop();
    await database.pool.query("SELECT pg_notify('weft_test', 'unheard')");
    expect(heard).toEqual(['committed']);
  });

  test('P7.22 somebody without the secret is refused', async () => {
    const { host, port } = database.pool.options as pg.PoolConfig;
    const stranger = new pg.Client({ host, port, user: 'postgres', database: 'postgres' });
    await expect(stranger.connect()).rejects.toThrow('not allowed');
    if (host?.startsWith('/')) expect(statSync(host).mode & 0o777).toBe(0o700);
  });

  test('P1.1 syncs the write-ahead log, whoever asks at the same time', async () => {
    await database.pool.query('UPDATE counters SET value = value + 1 WHERE id = 2');
    await Promise.all([database.syncToDisk(), database.syncToDisk(), database.syncToDisk()]);
    expect(readdirSync(join(dataDir, 'postgres', 'pg_wal')).length).toBeGreaterThan(0);
  });

  test('P1.7 a second opening of the directory is refused and says who has it', async () => {
    await expect(openDatabase({ dataDir, logger: silentLogger })).rejects.toThrow(`process ${process.pid} `);
  });
});
