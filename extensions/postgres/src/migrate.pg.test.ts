import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLogger } from '@weft/common';
import { createDatabase, until } from '@weft/harness';
import { afterAll, afterEach, beforeEach, describe, expect, inject, test } from 'vitest';
import { migrate, openDatabase, schemaState, type Database } from './index.ts';

describe('migrations', () => {
  // A name that would be a pattern, were it taken as one.
  const root = mkdtempSync(join(tmpdir(), 'weft-[migrate]-'));
  const first = mkdtempSync(join(root, 'first-'));
  const second = mkdtempSync(join(root, 'second-'));
  const directories = [second, first];
  writeFileSync(
    join(first, '0100_things.sql'),
    'CREATE TABLE things (id int); INSERT INTO things VALUES (1);',
  );
  writeFileSync(join(second, '0200_more.sql'), 'ALTER TABLE things ADD COLUMN more int;');
  let database: Database;

  beforeEach(async () => {
    const url = await createDatabase(inject('postgresUrl'));
    database = await openDatabase({ url, logger: silentLogger });
  });
  afterEach(() => database.close());
  afterAll(() => rmSync(root, { recursive: true, force: true }));

  const run = (paths = directories) =>
    migrate({ pool: database.pool, directories: paths, logger: silentLogger });
  const state = (paths = directories) => schemaState({ pool: database.pool, directories: paths });

  test('P8.5 run in the order of their numbers, across directories, and once', async () => {
    expect(await state()).toBe('behind');
    expect(await run()).toEqual(['0100_things', '0200_more']);
    expect(await state()).toBe('current');
    expect(await run()).toEqual([]);
  });

  test('P8.5 many processes that start at once run each file once', async () => {
    const results = await Promise.all([run(), run(), run(), run()]);
    expect(results.map(({ length }) => length).sort()).toEqual([0, 0, 0, 2]);
    const { rows } = await database.pool.query('SELECT count(*)::int AS n FROM things');
    expect(rows).toEqual([{ n: 1 }]);
  });

  test('P8.5 a file that fails leaves nothing behind', async () => {
    const third = mkdtempSync(join(root, 'third-'));
    writeFileSync(join(third, '0300_broken.sql'), 'CREATE TABLE half (id int); SELECT 1/0;');
    await expect(run([...directories, third])).rejects.toThrow('division by zero');
    expect(await state()).toBe('behind');
    expect(await run()).toHaveLength(2);
  });

  test('P8.5 a schema of a newer program is told apart', async () => {
    await run();
    expect(await state([first])).toBe('ahead');
  });

  test('P8.5 a role without rights on the public schema has its tables in the one of its search_path', async () => {
    const url = await createDatabase(inject('postgresUrl'));
    const operator = await openDatabase({ url, logger: silentLogger, poolSize: 1 });
    const role = new URL(url).pathname.slice(1);
    await operator.pool.query(
      `CREATE ROLE ${role} LOGIN; CREATE SCHEMA "Its own" AUTHORIZATION ${role}; REVOKE ALL ON SCHEMA public FROM PUBLIC`,
    );
    const own = new URL(url);
    own.username = role;
    const at = async (path: string) => {
      own.searchParams.set('options', `-c search_path=${path}`);
      const opened = await openDatabase({ url: own.href, logger: silentLogger });
      const options = { pool: opened.pool, directories, logger: silentLogger };
      return {
        migrate: () => migrate(options),
        state: () => schemaState(options),
        close: () => opened.close(),
      };
    };
    const nowhere = await at('nowhere');
    await expect(nowhere.migrate()).rejects.toThrow('search_path');
    const itsOwn = await at('"Its\\ own"');
    expect(await itsOwn.migrate()).toHaveLength(2);
    expect([await itsOwn.state(), await itsOwn.migrate()]).toEqual(['current', []]);
    await Promise.all([nowhere.close(), itsOwn.close()]);
    await operator.pool.query(`DROP SCHEMA "Its own" CASCADE; DROP OWNED BY ${role}; DROP ROLE ${role}`);
    await operator.close();
  });

  test('P4.7 a listener hears again after its connection was cut', async () => {
    const heard: string[] = [];
    await database.notifications.listen('weft_test', (payload) => heard.push(payload));
    const notify = (payload: string) => database.pool.query("SELECT pg_notify('weft_test', $1)", [payload]);
    await notify('before');
    await until(() => heard.length === 1);
    await database.pool.query(
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'LISTEN%' AND datname = current_database()",
    );
    await until(async () => {
      await notify('after');
      return heard.includes('after');
    });
  });
});
