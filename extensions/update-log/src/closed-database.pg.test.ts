import { until } from '@weft/harness';
import pg from 'pg';
import { expect, inject, onTestFinished, test } from 'vitest';
import { Author, Recorder, newDocument, openTestDatabase, testLog } from './testing/log.ts';

test('P1.5 a database that an operator has closed, to restore it or to change its name, is waited for', async () => {
  const database = await openTestDatabase(inject('postgresUrl'));
  const operator = new pg.Client({ connectionString: inject('postgresUrl') });
  await operator.connect();
  onTestFinished(async () => {
    await Promise.all([database.close(), operator.end()]);
  });
  const log = testLog(database, { retryMinMs: 5, retryMaxMs: 10 });
  const recorder = new Recorder();
  const document = await log.open(await newDocument(database), recorder);
  const { rows } = await database.pool.query<{ name: string }>('SELECT current_database() AS name');
  const name = rows[0]?.name ?? '';
  const setOpen = (open: boolean) => operator.query(`ALTER DATABASE ${name} WITH ALLOW_CONNECTIONS ${open}`);
  await setOpen(false);
  await operator.query('SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1', [name]);

  document.append(new Author('ada').next());
  const since = await until(() => log.stats().degradedSince);
  // Many attempts later.
  await until(() => recorder.error ?? Date.now() - since.getTime() > 500);
  expect(recorder.error).toBeUndefined();
  await setOpen(true);
  await document.flush();
  expect(recorder.rows.map(({ seq }) => seq)).toEqual([1]);
  await log.stop();
});
