import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { documentKey, silentLogger } from '@weft/common';
import { provideEmbedded, TestProcess, until } from '@weft/harness';
import { migrate, openDatabase } from '@weft/postgres';
import { afterAll, describe, expect, test } from 'vitest';
import { Compactor, migrationsDirectory } from './index.ts';
import { Author, Recorder, editsOf, newDocument, testLog } from './testing/log.ts';

const program = fileURLToPath(new URL('./testing/append-edits.ts', import.meta.url));

describe('the update log on an embedded database', () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'weft-log-'));
  provideEmbedded(dataDir);
  const writers: TestProcess[] = [];
  const open = async () => {
    const database = await openDatabase({ dataDir, logger: silentLogger });
    await migrate({ pool: database.pool, directories: [migrationsDirectory], logger: silentLogger });
    return database;
  };

  afterAll(async () => {
    await Promise.all(writers.map((writer) => writer.end('SIGKILL')));
    rmSync(dataDir, { recursive: true, force: true });
  });

  test('P1.6 keeps what it acknowledged when its process is killed', { timeout: 180_000 }, async () => {
    const writer = new TestProcess('append-edits', process.execPath, [
      '--conditions=weft-source',
      program,
      dataDir,
    ]);
    writers.push(writer);
    await until(() => writer.output.split('\n').length > 50, { timeout: 120_000, what: writer.output });
    await writer.end('SIGKILL');
    // Whole lines only: the output comes in pieces.
    const acknowledged = writer.output.match(/^(ada|bob|cleo|dan):\d+$/gm) ?? [];
    expect(acknowledged.length).toBeGreaterThan(40);
    const database = await open();
    const log = testLog(database);
    const page = await log.readUpdates(documentKey('acme', 'killed'), { limit: 5_000 });
    expect(page.rows.map(({ seq }) => seq)).toEqual(Array.from({ length: page.head }, (_, n) => n + 1));
    const edits = new Set(editsOf(page.rows.map(({ update }) => update)));
    expect(acknowledged.filter((edit) => !edits.has(edit))).toEqual([]);
    await log.stop();
    await database.close();
  });

  test('P2.2 many writers, a reader and the compactor at once', { timeout: 120_000 }, async () => {
    const database = await open();
    const log = testLog(database, { syncToDisk: () => database.syncToDisk(), lanes: 2 });
    const key = await newDocument(database, 'busy');
    const compactor = new Compactor({ pool: database.pool, logger: silentLogger, minRows: 20 });
    const recorders: Recorder[] = [];
    let writing = true;
    const compacting = (async () => {
      while (writing) await compactor.run();
      await compactor.run();
    })();
    await Promise.all(
      Array.from({ length: 8 }, async (_, n) => {
        const [recorder, author] = [new Recorder(), new Author(`w${n}`)];
        recorders.push(recorder);
        const document = await log.open(key, recorder);
        for (let edit = 0; edit < 25; edit++) {
          document.append(author.next());
          await document.flush();
        }
      }),
    );
    writing = false;
    await compacting;
    const seqs = recorders.flatMap(({ rows }) => rows.map(({ seq }) => seq)).sort((a, b) => a - b);
    expect(seqs).toEqual(Array.from({ length: 200 }, (_, n) => n + 1));
    const { loaded } = await log.open(key, new Recorder());
    expect(loaded.snapshot).toBeDefined();
    expect(editsOf([loaded.snapshot!, ...loaded.tail.map(({ update }) => update)])).toHaveLength(200);
    await compactor.stop();
    await log.stop();
    await database.close();
  });
});
