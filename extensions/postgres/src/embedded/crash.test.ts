import { mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { silentLogger } from '@weft/common';
import { provideEmbedded, TestProcess, until } from '@weft/harness';
import { afterAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import { openDatabase } from '../index.ts';
import { lockDirectory } from './directory-lock.ts';

const program = fileURLToPath(new URL('../testing/append-numbers.ts', import.meta.url));
const racer = fileURLToPath(new URL('../testing/race-for-locks.ts', import.meta.url));

describe('an embedded Postgres that is killed', () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'weft-crash-'));
  provideEmbedded(dataDir);
  const processes: TestProcess[] = [];
  const start = () => {
    const child = new TestProcess('append-numbers', process.execPath, [
      '--conditions=weft-source',
      program,
      dataDir,
    ]);
    processes.push(child);
    return child;
  };
  const printed = (child: TestProcess) => child.output.split('\n').map(Number);

  afterAll(async () => {
    await Promise.all(processes.map((child) => child.end('SIGKILL')));
    rmSync(dataDir, { recursive: true, force: true });
  });

  test('P1.6 loses nothing it has told of, however often', { timeout: 180_000 }, async () => {
    for (let round = 1; round <= 2; round++) {
      const child = start();
      await until(() => printed(child).length > 20 * round, { timeout: 60_000, what: child.output });
      await child.end('SIGKILL');
      const acknowledged = Math.max(...printed(child));
      const database = await openDatabase({ dataDir, logger: silentLogger });
      const { rows } = await database.pool.query<{ n: number }>('SELECT n FROM numbers ORDER BY n');
      await database.close();
      expect(rows.length).toBeGreaterThanOrEqual(acknowledged);
      expect(rows.map(({ n }) => n)).toEqual(Array.from({ length: rows.length }, (_, n) => n + 1));
    }
  });

  test('P1.7 keeps a second process out, and says which one has it', { timeout: 120_000 }, async () => {
    const child = start();
    await until(() => child.output, { timeout: 30_000 });
    await expect(openDatabase({ dataDir, logger: silentLogger })).rejects.toThrow(
      new RegExp(`in use by process ${child.pid} `),
    );
    const [second] = [start()];
    await until(() => !second.running, { timeout: 30_000 });
    expect(second.output).toContain(`in use by process ${child.pid} `);
    const before = printed(child).length;
    await until(() => printed(child).length !== before);
    await child.end('SIGKILL');
  });
});

describe('an embedded Postgres that ends itself', () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'weft-panic-'));
  provideEmbedded(dataDir);
  afterAll(() => rmSync(dataDir, { recursive: true, force: true }));

  test(
    'P1.26 because it cannot write its log is started again when it can, with all that was committed',
    { timeout: 120_000 },
    async () => {
      const wal = join(dataDir, 'postgres', 'pg_wal');
      const database = await openDatabase({ dataDir, logger: silentLogger });
      const { pool } = database;
      onTestFinished(() => database.close());
      await pool.query('CREATE TABLE numbers (n int PRIMARY KEY)');
      await pool.query('INSERT INTO numbers VALUES (1)');
      renameSync(wal, `${wal}-away`);
      await pool.query('SELECT pg_switch_wal()').catch(() => undefined);
      await expect(pool.query('INSERT INTO numbers VALUES (2)')).rejects.toThrow();
      renameSync(`${wal}-away`, wal);
      await until(() => pool.query('INSERT INTO numbers VALUES (3)').then(() => true), {
        timeout: 20_000,
        interval: 100,
        what: 'the embedded Postgres to be there again',
      });
      const { rows } = await pool.query<{ n: number }>('SELECT n FROM numbers ORDER BY n');
      expect(rows.map(({ n }) => n)).toEqual([1, 3]);
    },
  );
});

describe('an embedded Postgres that hangs', () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'weft-hang-'));
  provideEmbedded(dataDir);
  afterAll(() => rmSync(dataDir, { recursive: true, force: true }));

  test(
    'P1.20 is given up: its queries are rejected and its owner is told',
    { timeout: 120_000 },
    async () => {
      const fatal: Error[] = [];
      const database = await openDatabase({
        dataDir,
        logger: silentLogger,
        watchdogMs: 2_500,
        onFatal: (error) => fatal.push(error),
      });
      const endless = database.pool.query('SELECT count(*) FROM generate_series(1, 1000000000000)');
      await expect(endless).rejects.toThrow();
      expect(fatal.map(({ message }) => message)).toEqual([expect.stringContaining('has not answered')]);
      await expect(database.pool.query('SELECT 1')).rejects.toThrow();
      await database.close();
    },
  );
});

describe('an embedded Postgres when the clock jumps', () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'weft-clock-'));
  provideEmbedded(dataDir);
  afterAll(() => rmSync(dataDir, { recursive: true, force: true }));

  test('P1.20 is not given up for a time in which it was not asked', { timeout: 60_000 }, async () => {
    const fatal: Error[] = [];
    const warned = vi.fn();
    const database = await openDatabase({
      dataDir,
      logger: { ...silentLogger, error: warned },
      onFatal: (error) => fatal.push(error),
    });
    onTestFinished(() => database.close());
    const { now } = Date;
    onTestFinished(() => void (Date.now = now));
    Date.now = () => now() + 3_600_000;
    const asked = performance.now();
    // Longer than the time between two looks.
    await until(() => performance.now() - asked > 2_500);
    await database.pool.query('SELECT 1');
    expect(fatal).toEqual([]);
    expect(warned).not.toHaveBeenCalled();
  });
});

describe('the lock of a data directory', () => {
  const directory = mkdtempSync(join(tmpdir(), 'weft-lock-'));
  const file = join(directory, 'lock');
  afterAll(() => rmSync(directory, { recursive: true, force: true }));

  test('P1.7 passes on when its process is gone, or its pid belongs to another process now', () => {
    const unlock = lockDirectory(directory);
    expect(() => lockDirectory(directory)).toThrow('in use');
    const holder = JSON.parse(readFileSync(file, 'utf8')) as object;
    unlock();
    for (const stale of [{ ...holder, pid: 2 ** 22 + 1 }, { ...holder, started: 'earlier' }, 'not json']) {
      writeFileSync(file, typeof stale === 'string' ? stale : JSON.stringify(stale));
      lockDirectory(directory)();
    }
  });

  test.each([
    { left: 'nothing', content: undefined },
    {
      left: 'the lock of a process that is gone',
      content: { pid: 2 ** 22 + 1, host: hostname(), started: '' },
    },
  ])('P1.7 of processes that come at once where $left is, one gets it', async ({ content }) => {
    const directories = Array.from({ length: 100 }, (_, at) => {
      const raced = join(directory, `raced-${content ? 'stale' : 'new'}-${at}`);
      mkdirSync(raced);
      if (content) writeFileSync(join(raced, 'lock'), JSON.stringify(content));
      return raced;
    });
    const args = [String(Date.now() + 1_500), '3', ...directories];
    const racers = [1, 2, 3, 4].map(
      () => new TestProcess('race-for-locks', process.execPath, ['--conditions=weft-source', racer, ...args]),
    );
    onTestFinished(() => Promise.all(racers.map((each) => each.end('SIGKILL'))).then(() => undefined));
    const printed = () => racers.flatMap(({ output }) => output.split('\n'));
    const done = () => printed().filter((line) => line === 'done').length === racers.length;
    await until(done, { timeout: 15_000, what: 'the race to end' });
    const got = printed().map(Number).filter(Number.isInteger);
    expect(got.sort((a, b) => a - b)).toEqual(directories.map((_, at) => at));
  });

  test('P1.7 another host’s lock holds while it is fresh', () => {
    writeFileSync(file, JSON.stringify({ pid: 1, host: 'elsewhere', started: '' }));
    expect(() => lockDirectory(directory)).toThrow('process 1 on elsewhere');
    const long = new Date(Date.now() - 60_000);
    utimesSync(file, long, long);
    lockDirectory(directory)();
  });
});
