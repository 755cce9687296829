import type { Database } from '@weft/postgres';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { Author, Recorder, newDocument, openTestDatabase, testLog } from './testing/log.ts';

let database: Database;

beforeAll(async () => {
  database = await openTestDatabase(inject('postgresUrl'));
});
afterAll(() => database.close());

test('P2.2 what came before a position is read backwards, within bounds, and of that history only', async () => {
  const log = testLog(database);
  const recorder = new Recorder();
  const document = await log.open(await newDocument(database), recorder);
  const author = new Author('ada');
  for (let n = 0; n < 10; n++) {
    document.append(author.next());
    await document.flush();
  }
  const read = async (limits: { through: number; rows: number; bytes: number }) =>
    (await log.readBefore(document, limits)).map(({ seq }) => seq);
  expect(await read({ through: 8, rows: 100, bytes: 10_000 })).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
  expect(await read({ through: 8, rows: 3, bytes: 10_000 })).toEqual([6, 7, 8]);
  const twoRows = recorder.rows.slice(6, 8).reduce((sum, { update }) => sum + update.length, 0);
  expect(await read({ through: 8, rows: 100, bytes: twoRows })).toEqual([7, 8]);
  const [row] = await log.readBefore(document, { through: 4, rows: 1, bytes: 10_000 });
  expect(row).toEqual({ seq: 4, at: recorder.rows[3]?.at, update: Buffer.from(recorder.rows[3]!.update) });

  await database.pool.query('UPDATE documents SET epoch = epoch + 1 WHERE id = $1', [document.id]);
  expect(await read({ through: 8, rows: 100, bytes: 10_000 })).toEqual([]);
  await log.stop();
});
