import { setTimeout as delay } from 'node:timers/promises';
import { silentLogger, type DocumentKey } from '@weft/common';
import {
  createDatabase,
  FaultProxy,
  lockAwaited,
  startPostgres,
  until,
  type PostgresServer,
} from '@weft/harness';
import { migrate, openDatabase, type Database } from '@weft/postgres';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { migrationsDirectory, type UpdateLog } from './index.ts';
import { Author, Recorder, editsOf, newDocument, testLog } from './testing/log.ts';

describe('the update log and a failing database', () => {
  let postgres: PostgresServer;
  let proxy: FaultProxy;
  /** Straight to the server, for looking. */
  let direct: Database;
  /** Through the proxy, for the log. */
  let proxied: Database;
  let url: string;

  beforeAll(async () => {
    postgres = await startPostgres();
    proxy = await FaultProxy.start(postgres.port);
    url = await createDatabase(postgres.url);
    direct = await openDatabase({ url, logger: silentLogger });
    proxied = await openDatabase({ url: proxy.through(url), logger: silentLogger, connectTimeoutMs: 2_000 });
    await migrate({ pool: direct.pool, directories: [migrationsDirectory], logger: silentLogger });
  });

  afterAll(async () => {
    await Promise.all([direct.close(), proxied.close()]);
    await proxy.close();
    await postgres.remove();
  });

  async function headOf(id: number): Promise<number> {
    const { rows } = await direct.pool.query<{ head: string }>('SELECT head FROM documents WHERE id = $1', [
      id,
    ]);
    return Number(rows[0]?.head);
  }

  async function openWithOneRow(log: UpdateLog) {
    const recorder = new Recorder();
    const author = new Author('ada');
    const document = await log.open(await newDocument(direct), recorder);
    document.append(author.next());
    await document.flush();
    return { log, recorder, author, document };
  }

  /** What was stalled on its way reaches the database now, which answers. */
  async function arriveLate(detour: FaultProxy): Promise<void> {
    const before = detour.toClient.bytes;
    detour.toServer.mode = 'pass';
    await until(() => detour.toClient.bytes > before);
    await until(() => detour.connections === 0);
  }

  async function expectTwoRows(log: UpdateLog, key: DocumentKey): Promise<void> {
    const { rows } = await log.readUpdates(key);
    expect(editsOf(rows.map(({ update }) => update))).toEqual(['ada:1', 'ada:2']);
    expect(rows.map(({ seq }) => seq)).toEqual([1, 2]);
  }

  /** From the next statement of this name on, nothing reaches the client. */
  function loseAnswerTo(name: string): void {
    const { query } = pg.Client.prototype;
    const spy = vi.spyOn(pg.Client.prototype, 'query').mockImplementation(function (
      this: pg.Client,
      ...args: unknown[]
    ) {
      if ((args[0] as { name?: string }).name === name) {
        proxy.toClient.mode = 'drop';
        spy.mockRestore();
      }
      return Reflect.apply(query, this, args) as never;
    });
  }

  test('P1.3 a commit whose answer was lost is found, not written again', async () => {
    const { log, recorder, author, document } = await openWithOneRow(testLog(proxied));
    proxy.toClient.mode = 'drop';
    document.append(author.next());
    await until(async () => (await headOf(document.id)) === 2);
    expect(recorder.through).toBe(1);
    document.append(author.next());
    proxy.cut();
    proxy.toClient.mode = 'pass';
    await document.flush();
    expect(recorder.rows.map(({ seq }) => seq)).toEqual([1, 2, 3]);
    expect(await headOf(document.id)).toBe(3);
    expect(editsOf(recorder.rows.map(({ update }) => update))).toEqual(['ada:1', 'ada:2', 'ada:3']);
    await log.stop();
  });

  test('P1.3 a commit whose answer was lost is found, whatever is said of how far the log has got', async () => {
    const { log, recorder, author, document } = await openWithOneRow(testLog(proxied));
    // Nobody has written that row: the log gets there by the very batch whose answer is lost.
    document.expect(2);
    loseAnswerTo('weft_append');
    document.append(author.next());
    await until(async () => (await headOf(document.id)) === 2);
    proxy.cut();
    proxy.toClient.mode = 'pass';
    await document.flush();
    expect(recorder.rows.map(({ seq }) => seq)).toEqual([1, 2]);
    expect(await headOf(document.id)).toBe(2);
    await log.stop();
  });

  test('P1.3 a lost transaction that still waits on the server is not overtaken by its retry', async () => {
    const log = testLog(proxied);
    const recorder = new Recorder();
    const document = await log.open(await newDocument(direct), recorder);
    const client = await direct.pool.connect();
    await client.query('BEGIN');
    await client.query('SELECT FROM documents WHERE id = $1 FOR UPDATE', [document.id]);
    document.append(new Author('ada').next());
    await lockAwaited(direct.pool);
    proxy.cut();
    await lockAwaited(direct.pool, 2);
    await client.query('COMMIT');
    client.release();
    await document.flush();
    expect(recorder.rows.map(({ seq }) => seq)).toEqual([1]);
    expect(await headOf(document.id)).toBe(1);
    await log.stop();
  });

  test.each([
    ['nothing', 0],
    // The batch itself takes the log to there, by its retry.
    ['that there is a row more', 2],
  ])('P1.3 a batch that arrives after its retry is not written twice: others say %s', async (_, rumour) => {
    const detour = await FaultProxy.start(postgres.port);
    const database = await openDatabase({ url: detour.through(url), logger: silentLogger });
    const { log, recorder, author, document } = await openWithOneRow(
      testLog(database, { commitTimeoutMs: 300 }),
    );
    document.expect(rumour);
    detour.toServer.mode = 'stall';
    // Connections made from now on avoid the stalled way.
    Object.assign(database.pool.options, { connectionString: url });
    const late = document.append(author.next());
    await until(() => recorder.through === late);
    expect(await headOf(document.id)).toBe(2);
    await arriveLate(detour);
    await expectTwoRows(log, document.key);
    expect(recorder.rows).toHaveLength(2);
    await log.stop();
    await database.close();
    await detour.close();
  });

  test('P1.3 nor is a batch that arrives late written twice where its first retry failed', async () => {
    const detour = await FaultProxy.start(postgres.port);
    const database = await openDatabase({ url: detour.through(url), logger: silentLogger });
    const { log, recorder, author, document } = await openWithOneRow(
      testLog(database, { commitTimeoutMs: 300, retryMinMs: 20 }),
    );
    document.expect(2);
    detour.toServer.mode = 'stall';
    const unreachable = new URL(url);
    unreachable.port = '1';
    Object.assign(database.pool.options, { connectionString: unreachable.href });
    const late = document.append(author.next());
    await until(() => /ECONNREFUSED/.test(String(log.stats().degradedBy)));
    Object.assign(database.pool.options, { connectionString: url });
    await until(() => recorder.through === late);
    await arriveLate(detour);
    await expectTwoRows(log, document.key);
    await log.stop();
    await database.close();
    await detour.close();
  });

  test('P2.15 what was on its way when a document was given up is told to nobody, and counted once', async () => {
    const log = testLog(direct);
    const recorder = new Recorder();
    const document = await log.open(await newDocument(direct), recorder);
    await log.heads([document.id]);
    const client = await direct.pool.connect();
    await client.query('BEGIN');
    await client.query('SELECT FROM documents WHERE id = $1 FOR UPDATE', [document.id]);
    document.append(new Author('ada').next());
    await lockAwaited(direct.pool);
    await direct.pool.query('UPDATE weft_database SET id = gen_random_uuid()');
    await log.heads([document.id]);
    expect(recorder.error?.code).toBe('document-reload');
    await client.query('COMMIT');
    client.release();
    await until(async () => (await headOf(document.id)) === 1);
    await log.stop();
    expect([recorder.rows, recorder.through, log.stats().pendingBytes]).toEqual([[], 0, 0]);
  });

  test('P1.4 what waits for the database is bounded, and saved when the database takes it', async () => {
    const log = testLog(proxied, { maxPendingBytes: 10_000 });
    const recorder = new Recorder();
    const author = new Author('ada');
    const document = await log.open(await newDocument(direct), recorder);
    const client = await direct.pool.connect();
    await client.query('BEGIN');
    await client.query('SELECT FROM documents WHERE id = $1 FOR UPDATE', [document.id]);
    let taken = 0;
    const fill = () => {
      for (; taken < 1_000; taken++) document.append(author.next());
    };
    expect(fill).toThrow(expect.objectContaining({ code: 'log-backlog-full' }));
    expect(taken).toBeGreaterThan(10);
    expect(log.stats().pendingBytes).toBeLessThanOrEqual(10_000);
    await client.query('COMMIT');
    client.release();
    await document.flush();
    expect(editsOf(recorder.rows.map(({ update }) => update))).toHaveLength(taken);
    expect(log.stats().pendingBytes).toBe(0);
    await log.stop();
  });

  test('P1.5 Postgres stopped and started under load: nothing acknowledged is lost, order is kept', async () => {
    const log = testLog(proxied, { lanes: 2 });
    const keys = await Promise.all([newDocument(direct), newDocument(direct), newDocument(direct)]);
    const writers = await Promise.all(
      Array.from({ length: 12 }, async (_, n) => {
        const recorder = new Recorder();
        const key = keys[n % keys.length]!;
        return { recorder, author: new Author(`w${n}`), key, document: await log.open(key, recorder) };
      }),
    );
    let writing = true;
    const load = Promise.all(
      writers.map(async ({ author, document }) => {
        while (writing) {
          document.append(author.next());
          await delay(2 + Math.random() * 4);
        }
      }),
    );
    for (const signal of ['SIGINT', 'SIGQUIT', 'SIGINT'] as const) {
      const before = writers.map(({ recorder }) => recorder.rows.length);
      await until(() => writers.every(({ recorder }, n) => recorder.rows.length > before[n]!));
      await postgres.stop(signal);
      const acknowledged = writers.map(({ recorder }) => recorder.through);
      await until(() => log.stats().degradedSince);
      expect(writers.map(({ recorder }) => recorder.through)).toEqual(acknowledged);
      await postgres.start();
    }
    await until(() => log.stats().degradedSince === undefined);
    writing = false;
    await load;
    await Promise.all(writers.map(({ document }) => document.flush()));
    for (const key of keys) {
      const { rows, head } = await log.readUpdates(key, { limit: 5_000 });
      expect(rows.map(({ seq }) => seq)).toEqual(Array.from({ length: head }, (_, n) => n + 1));
      const edits = editsOf(rows.map(({ update }) => update));
      for (const { author } of writers.filter((writer) => writer.key === key)) {
        const own = author.doc.getArray<string>('edits').toArray();
        expect(edits.filter((edit) => own.includes(edit)).sort()).toEqual([...own].sort());
      }
    }
    for (const { recorder } of writers) {
      const seqs = recorder.rows.map(({ seq }) => seq);
      expect(seqs).toEqual([...new Set(seqs)].sort((a, b) => a - b));
    }
    await log.stop();
  }, 90_000);

  test('P1.5 a connection that was made while the database took no writes is given up when it does', async () => {
    const ours = await createDatabase(postgres.url);
    const operator = await openDatabase({ url: ours, logger: silentLogger, poolSize: 1 });
    await migrate({ pool: operator.pool, directories: [migrationsDirectory], logger: silentLogger });
    const key = await newDocument(operator);
    const takeWrites = (mode: 'on' | 'off') =>
      operator.pool.query(
        `ALTER DATABASE ${new URL(ours).pathname.slice(1)} SET default_transaction_read_only = ${mode}`,
      );
    await takeWrites('on');
    const database = await openDatabase({ url: ours, logger: silentLogger });
    const log = testLog(database);
    const document = await log.open(key, new Recorder());
    document.append(new Author('ada').next());
    await until(() => log.stats().degradedSince);
    // The operator's own connection is older than the setting.
    await takeWrites('off');
    await document.flush();
    const { rows } = await log.readUpdates(key);
    expect(rows).toHaveLength(1);
    await log.stop();
    await Promise.all([database.close(), operator.close()]);
  });

  test('P1.2 a stop that the database does not allow ends in time, and nothing is told to be saved', async () => {
    const log = testLog(proxied);
    const recorder = new Recorder();
    const document = await log.open(await newDocument(direct), recorder);
    await postgres.stop();
    document.append(new Author('ada').next());
    await log.stop({ timeoutMs: 300 });
    expect(recorder).toMatchObject({ through: 0, error: { code: 'log-unavailable' } });
    await postgres.start();
  });
});
