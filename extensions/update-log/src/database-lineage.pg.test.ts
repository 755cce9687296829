import type { DocumentKey } from '@weft/common';
import type { Database } from '@weft/postgres';
import { afterEach, beforeEach, describe, expect, inject, test } from 'vitest';
import { renewEpochs } from './renew-epochs.ts';
import { Author, Recorder, newDocument, openTestDatabase, store, testLog } from './testing/log.ts';
import type { UpdateLog } from './update-log.ts';

describe('a database that is not the one before', () => {
  let database: Database;

  beforeEach(async () => {
    database = await openTestDatabase(inject('postgresUrl'));
  });
  afterEach(() => database.close());

  async function write(log: UpdateLog, key: DocumentKey, rows: number) {
    const recorder = new Recorder();
    const document = await log.open(key, recorder);
    const author = new Author('ada');
    for (let n = 0; n < rows; n++) {
      document.append(author.next());
      await document.flush();
    }
    return { document, recorder };
  }

  async function epochs(): Promise<number[]> {
    const { rows } = await database.pool.query<{ epoch: string }>('SELECT epoch FROM documents ORDER BY id');
    return rows.map(({ epoch }) => Number(epoch));
  }

  async function generation(): Promise<number> {
    const { rows } = await database.pool.query<{ generation: string }>(
      'SELECT generation FROM weft_database',
    );
    return Number(rows[0]?.generation);
  }

  /** As a restore would leave it: the document's last row was never written. */
  async function loseLastRow(id: number): Promise<void> {
    await database.pool.query(
      `WITH lost AS (UPDATE documents SET head = head - 1 WHERE id = $1 RETURNING id, head)
       DELETE FROM document_updates u USING lost WHERE u.document_id = lost.id AND u.seq > lost.head`,
      [id],
    );
  }

  test('P2.14 gives all documents new epochs once, those too that nobody has open, whoever notices', async () => {
    const logs = [testLog(database, { instance: 'a' }), testLog(database, { instance: 'b' })];
    const [first, second] = logs as [UpdateLog, UpdateLog];
    await newDocument(database);
    const closed = await write(first, await newDocument(database), 3);
    await closed.document.close();
    const open = await write(second, await newDocument(database), 3);
    const other = await write(second, await newDocument(database), 3);
    await Promise.all(logs.map((log) => log.heads([])));
    await loseLastRow(closed.document.id);
    await loseLastRow(other.document.id);
    const before = await epochs();

    const ask = () => Promise.all(logs.map((log) => log.heads([open.document.id, other.document.id])));
    await ask();
    const after = await epochs();
    expect(after.every((epoch, index) => epoch > (before[index] ?? Infinity))).toBe(true);
    await ask();
    await ask();
    expect(await epochs()).toEqual(after);
    expect([open, other].map(({ recorder }) => recorder.error?.code)).toEqual([
      'document-reload',
      'document-reload',
    ]);
    // The history goes on, and nothing of the old one is held against it.
    await write(first, closed.document.key, 1);
    await ask();
    expect(await epochs()).toEqual(after);
    await Promise.all(logs.map((log) => log.stop()));
  });

  test('P2.14 also when a document that was written to first has got a new epoch by that already', async () => {
    const log = testLog(database);
    const other = await newDocument(database);
    const { document, recorder } = await write(log, await newDocument(database), 3);
    await log.heads([document.id]);
    await loseLastRow(document.id);
    const [before = Infinity] = await epochs();
    document.append(new Author('bob').next());
    await document.flush().catch(() => undefined);
    expect(recorder.error?.code).toBe('document-reload');
    expect((await epochs())[0]).toBe(before);
    await log.heads([]);
    expect((await epochs())[0]).toBeGreaterThan(before);
    expect((await log.readUpdates(other)).epoch).toBeGreaterThan(before);
    await log.stop();
  });

  test('P2.14 also when somebody who did not know the lost row has written past it', async () => {
    const [log, stranger] = [testLog(database, { instance: 'a' }), testLog(database, { instance: 'b' })];
    const { document, recorder } = await write(log, await newDocument(database), 3);
    await log.heads([document.id]);
    await loseLastRow(document.id);
    await write(stranger, document.key, 2);
    const [before = Infinity] = await epochs();
    await log.heads([document.id]);
    expect((await epochs())[0]).toBeGreaterThan(before);
    await log.heads([document.id]);
    expect(recorder.error?.code).toBe('document-reload');
    await Promise.all([log.stop(), stranger.stop()]);
  });

  test('P2.14 before the first append to whatever server answers after the connection broke', async () => {
    const [log, stranger] = [testLog(database, { instance: 'a' }), testLog(database, { instance: 'b' })];
    const { document, recorder } = await write(log, await newDocument(database), 3);
    await log.heads([document.id]);
    await loseLastRow(document.id);
    await write(stranger, document.key, 1);
    const [before = Infinity] = await epochs();
    await database.pool.query(
      'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()',
    );
    document.append(new Author('bob').next());
    await document.flush().catch(() => undefined);
    expect(recorder.error?.code).toBe('document-reload');
    expect((await epochs())[0]).toBeGreaterThan(before);
    expect((await log.readUpdates(document.key)).rows.map(({ actor }) => actor)).not.toContain('bob');
    await Promise.all([log.stop(), stranger.stop()]);
  });

  test('P2.14 also when it was put back to before all documents last got a new epoch', async () => {
    const log = testLog(database);
    await newDocument(database);
    await renewEpochs(database.pool);
    await log.heads([]);
    const present = await generation();
    await database.pool.query('UPDATE weft_database SET generation = 0');
    const before = await epochs();
    await log.heads([]);
    expect(await generation()).toBeGreaterThan(present - 1);
    expect((await epochs())[0]).toBeGreaterThan(before[0] ?? Infinity);
    await log.stop();
  });

  test('P2.14 a renewal by an operator makes open documents load again, and is not repeated', async () => {
    const log = testLog(database);
    const { document, recorder } = await write(log, await newDocument(database), 2);
    await log.heads([document.id]);
    expect(await renewEpochs(database.pool)).toBe(1);
    const after = await epochs();
    await log.heads([document.id]);
    await log.heads([]);
    expect(recorder.error?.code).toBe('document-reload');
    expect(await epochs()).toEqual(after);
    await log.stop();
  });

  test('P2.14 one whose restore is not over yet says nothing of documents that seem to be deleted', async () => {
    const log = testLog(database);
    const { document, recorder } = await write(log, await newDocument(database), 1);
    await log.heads([document.id]);
    await database.pool.query('DELETE FROM weft_database');
    await database.pool.query('DELETE FROM documents');
    await expect(log.heads([document.id])).rejects.toMatchObject({ code: 'log-unavailable' });
    expect(recorder.error).toBeUndefined();
    await log.stop();
  });

  test('P2.14 another database sends everybody away to come back, and deletes nothing', async () => {
    const log = testLog(database);
    const { document, recorder } = await write(log, await newDocument(database), 1);
    const unasked = await write(log, await newDocument(database), 1);
    await log.heads([document.id]);
    await database.pool.query('UPDATE weft_database SET id = gen_random_uuid()');
    await store.delete(database.pool, document.key);
    const before = await epochs();
    await log.heads([document.id]);
    expect([recorder.error?.code, unasked.recorder.error?.code]).toEqual([
      'document-reload',
      'document-reload',
    ]);
    expect(await epochs()).toEqual(before);
    await log.stop();
  });

  test('P2.14 the deletion of a document is none', async () => {
    const log = testLog(database);
    const other = await write(log, await newDocument(database), 1);
    const { document } = await write(log, await newDocument(database), 1);
    await log.heads([]);
    await document.close();
    await store.delete(database.pool, document.key);
    const before = await epochs();
    await log.heads([other.document.id]);
    expect(await epochs()).toEqual(before);
    expect(other.recorder.error).toBeUndefined();
    await log.stop();
  });
});
