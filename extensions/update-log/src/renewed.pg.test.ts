import { silentLogger } from '@weft/common';
import { createDatabase } from '@weft/harness';
import { migrate, openDatabase } from '@weft/postgres';
import { expect, inject, onTestFinished, test } from 'vitest';
import { migrationsDirectory } from './index.ts';
import { Recorder, newDocument, testLog } from './testing/log.ts';

test('P2.14 a document that has another epoch than it began with says so to whoever opens it', async () => {
  const database = await openDatabase({
    url: await createDatabase(inject('postgresUrl')),
    logger: silentLogger,
  });
  onTestFinished(() => database.close());
  await migrate({ pool: database.pool, directories: [migrationsDirectory], logger: silentLogger });
  const log = testLog(database);
  const key = await newDocument(database);
  expect((await log.open(key, new Recorder())).renewed).toBe(false);
  await database.pool.query(`UPDATE documents SET epoch = epoch + 60000`);
  expect((await log.open(key, new Recorder())).renewed).toBe(true);
  await log.stop();
});
