import { setTimeout as delay } from 'node:timers/promises';
import { documentKey, silentLogger } from '@weft/common';
import type { Database } from '@weft/postgres';
import * as Y from 'yjs';
import { afterAll, beforeAll, describe, expect, inject, test, vi } from 'vitest';
import { Compactor, type CompactorOptions } from '../index.ts';
import { storeSnapshot } from './compaction-queries.ts';
import { Author, Recorder, editsOf, newDocument, openTestDatabase, store, testLog } from '../testing/log.ts';

describe('compaction', () => {
  let database: Database;

  beforeAll(async () => {
    database = await openTestDatabase(inject('postgresUrl'));
  });
  afterAll(() => database.close());

  const compactor = (options: Partial<CompactorOptions> = {}) =>
    new Compactor({ pool: database.pool, logger: silentLogger, minRows: 1, ...options });

  async function count(table: string, id: number): Promise<number> {
    const { rows } = await database.pool.query<{ n: number }>(
      `SELECT count(*)::int AS n FROM ${table} WHERE document_id = $1`,
      [id],
    );
    return rows[0]?.n ?? -1;
  }

  test('P2.6 a document loads from its snapshot and the rows after it, as from all rows', async () => {
    const key = await newDocument(database);
    const log = testLog(database);
    const author = new Author('ada');
    const document = await log.open(key, new Recorder());
    const write = async (edits: number) => {
      for (let n = 0; n < edits; n++) {
        document.append(author.next());
        await document.flush();
      }
    };
    await write(10);
    const service = compactor();
    await service.run();
    await write(3);
    const { loaded } = await log.open(key, new Recorder());
    expect(loaded.seq).toBe(13);
    expect(loaded.tail.map(({ seq }) => seq)).toEqual([11, 12, 13]);
    expect(editsOf([loaded.snapshot!, ...loaded.tail.map(({ update }) => update)])).toEqual(
      author.doc.getArray('edits').toArray(),
    );
    const { update, seq } = await log.readState(key);
    expect([seq, editsOf([update]).length]).toEqual([13, 13]);
    await service.stop();
    await log.stop();
  });

  test('P2.6 a snapshot holds a history of many pages, whole and in order', async () => {
    const key = await newDocument(database);
    const log = testLog(database);
    const document = await log.open(key, new Recorder());
    const written = new Y.Doc();
    const text = written.getText('text');
    const large = 'x'.repeat(600_000);
    for (const piece of ['a', large, 'b', large, large, 'c']) {
      const before = Y.encodeStateVector(written);
      text.insert(text.length, piece);
      document.append(new Author('ada').next({ update: Y.encodeStateAsUpdate(written, before) }));
      await document.flush();
    }
    const service = compactor();
    await service.run();
    const { loaded } = await log.open(key, new Recorder());
    expect([loaded.seq, loaded.tail]).toEqual([6, []]);
    const stored = new Y.Doc();
    Y.applyUpdate(stored, loaded.snapshot!);
    // Compared as a whole: where it fails, nobody wants to see two megabytes.
    expect(stored.getText('text').toJSON() === text.toJSON()).toBe(true);
    await service.stop();
    await log.stop();
  });

  test.each([
    ['in the middle', [3]],
    ['at the end', [2, 3, 4]],
  ])(
    'P2.6 a history with rows missing %s gets no snapshot, and is tried again in an hour',
    async (_, seqs) => {
      const key = await newDocument(database);
      const log = testLog(database);
      const author = new Author('ada');
      const document = await log.open(key, new Recorder());
      let now = 0;
      let complaints = 0;
      const error = (fields: { document?: string }) => (complaints += Number(fields.document === key));
      const service = compactor({ clock: { now: () => now }, logger: { ...silentLogger, error } });
      const write = async () => {
        document.append(author.next());
        await document.flush();
      };
      await write();
      await service.run();
      expect(await count('document_snapshots', document.id)).toBe(1);
      for (let n = 0; n < 3; n++) await write();
      await database.pool.query('DELETE FROM document_updates WHERE document_id = $1 AND seq = ANY ($2)', [
        document.id,
        seqs,
      ]);
      const rounds = async () => {
        for (let round = 0; round < 3; round++) await service.run();
        return complaints;
      };
      expect(await rounds()).toBe(1);
      now += 3_599_999;
      expect(await rounds()).toBe(1);
      now += 1;
      // The lock goes with the connection, which Postgres may still be about to end.
      await vi.waitFor(async () => expect(await rounds()).toBe(2), { timeout: 20_000 });
      expect(await count('document_snapshots', document.id)).toBe(1);
      await service.stop();
      await log.stop();
    },
  );

  test('P2.7 compaction and pruning never stand in the way of appends, and no load ever misses an edit', async () => {
    const key = await newDocument(database);
    const log = testLog(database);
    const recorder = new Recorder();
    const author = new Author('ada');
    const document = await log.open(key, recorder);
    const services = [0, 1].map(() => compactor({ minRows: 20, keepSnapshots: 1, retention: { rows: 5 } }));
    let writing = true;
    const compacting = services.map(async (service) => {
      while (writing) await service.run();
      await service.run();
    });
    const loading = (async () => {
      const loads: boolean[] = [];
      while (writing) {
        const acknowledged = recorder.rows.length;
        const { loaded } = await log.open(key, new Recorder());
        const updates = loaded.tail.map(({ update }) => update);
        if (loaded.snapshot) updates.unshift(loaded.snapshot);
        const edits = editsOf(updates);
        loads.push(loaded.seq >= acknowledged && edits.length >= acknowledged && isPrefix(edits, author.doc));
      }
      return loads;
    })();
    for (let n = 0; n < 400; n++) {
      document.append(author.next());
      await document.flush();
      if (n % 10 === 0) await delay(2);
    }
    writing = false;
    const loads = await loading;
    await Promise.all(compacting);
    expect(loads.length).toBeGreaterThan(5);
    expect(loads.every(Boolean)).toBe(true);
    expect(await count('document_updates', document.id)).toBeLessThan(60);
    expect(await count('document_snapshots', document.id)).toBe(1);
    const { update } = await log.readState(key);
    expect(editsOf([update])).toEqual(author.doc.getArray('edits').toArray());
    await Promise.all(services.map((service) => service.stop()));
    await log.stop();
  });

  test('P2.8 a reader whose rows are no longer kept is told, and where to go on', async () => {
    const key = await newDocument(database);
    const log = testLog(database);
    const author = new Author('ada');
    const document = await log.open(key, new Recorder());
    for (let n = 0; n < 10; n++) {
      document.append(author.next());
      await document.flush();
    }
    const service = compactor({ keepSnapshots: 1, retention: { rows: 4 } });
    await service.run();
    const { epoch } = document;
    await expect(log.readUpdates(key, { after: { epoch, seq: 3 } })).rejects.toMatchObject({
      code: 'cursor-pruned',
      data: { current: { epoch, seq: 10 }, snapshot: { epoch, seq: 10 } },
    });
    const kept = [7, 8, 9, 10];
    expect((await log.readUpdates(key, { after: { epoch, seq: 6 } })).rows.map(({ seq }) => seq)).toEqual(
      kept,
    );
    expect((await log.readUpdates(key)).rows.map(({ seq }) => seq)).toEqual(kept);
    expect((await log.readUpdates(key, { after: { epoch, seq: 10 } })).rows).toEqual([]);
    await service.stop();
    await log.stop();
  });

  test('P2.8 rows that the oldest snapshot does not hold stay, whatever the retention lets go', async () => {
    const key = await newDocument(database);
    const log = testLog(database);
    const author = new Author('ada');
    const document = await log.open(key, new Recorder());
    const service = compactor({ keepSnapshots: 2, retention: { rows: 0 } });
    for (let n = 0; n < 3; n++) {
      for (let edit = 0; edit < 2; edit++) {
        document.append(author.next());
        await document.flush();
      }
      await service.run();
    }
    const { rows } = await database.pool.query<{ seq: string }>(
      'SELECT seq FROM document_snapshots WHERE document_id = $1 ORDER BY seq',
      [document.id],
    );
    expect(rows.map(({ seq }) => Number(seq))).toEqual([4, 6]);
    expect((await log.readUpdates(key)).rows.map(({ seq }) => seq)).toEqual([5, 6]);
    await service.stop();
    await log.stop();
  });

  test('P2.8 without a retention every row stays, however many snapshots there are', async () => {
    const key = await newDocument(database);
    const log = testLog(database);
    const author = new Author('ada');
    const document = await log.open(key, new Recorder());
    const service = compactor();
    for (let n = 0; n < 5; n++) {
      document.append(author.next());
      await document.flush();
      await service.run();
    }
    expect((await log.readUpdates(key)).rows.map(({ seq }) => seq)).toEqual([1, 2, 3, 4, 5]);
    expect(await count('document_snapshots', document.id)).toBe(2);
    await service.stop();
    await log.stop();
  });

  test('P2.8 rows stay for as long as retention says, also where a newer one could go or an instance’s clock is wrong', async () => {
    const key = await newDocument(database);
    const log = testLog(database);
    const author = new Author('ada');
    const document = await log.open(key, new Recorder());
    for (let n = 0; n < 6; n++) {
      document.append(author.next());
      await document.flush();
    }
    const age =
      'UPDATE document_updates SET at = now() - $2::interval WHERE document_id = $1 AND seq = ANY ($3)';
    await database.pool.query(age, [document.id, '2 hours', [1, 2, 4]]);
    // The rows bear the time of the database: what an instance takes it to be lets none of them go.
    const clock = { now: () => Date.now() + 86_400_000 };
    const service = compactor({ keepSnapshots: 1, retention: { ms: 3_600_000 }, clock });
    await service.run();
    expect((await log.readUpdates(key)).rows.map(({ seq }) => seq)).toEqual([3, 4, 5, 6]);
    await service.stop();
    await log.stop();
  });

  test('P2.6 a snapshot of a history that is over is not taken for one of the new', async () => {
    const key = await newDocument(database);
    const log = testLog(database);
    const { id, epoch } = await log.open(key, new Recorder());
    await database.pool.query('UPDATE documents SET epoch = epoch + 1, head = 3 WHERE id = $1', [id]);
    const snapshot = { id, seq: 2, state: new Uint8Array([0, 0]), bytes: 2 };
    expect(await storeSnapshot(database.pool, { ...snapshot, epoch })).toBe(false);
    expect(await count('document_snapshots', id)).toBe(0);
    expect(await storeSnapshot(database.pool, { ...snapshot, epoch: epoch + 1 })).toBe(true);
    await log.stop();
  });

  test('P7.2 a document that cannot be compacted does not keep the others from it', async () => {
    const log = testLog(database);
    const [poisoned, sound] = [await newDocument(database), await newDocument(database)];
    const [first, second] = [await log.open(poisoned, new Recorder()), await log.open(sound, new Recorder())];
    for (let n = 0; n < 3; n++) {
      first.append(new Author('mallory').next({ update: new Uint8Array([255, 255, 255, 255, 255]) }));
      await first.flush();
    }
    second.append(new Author('ada').next());
    await second.flush();
    const service = compactor();
    await service.run();
    expect(await count('document_snapshots', first.id)).toBe(0);
    expect(await count('document_snapshots', second.id)).toBe(1);
    await service.stop();
    await log.stop();
  });

  test('P2.4 a deleted document’s rows go in the background', async () => {
    const key = await newDocument(database);
    const log = testLog(database);
    const document = await log.open(key, new Recorder());
    document.append(new Author('ada').next());
    await document.flush();
    const service = compactor();
    await service.run();
    await store.delete(database.pool, key);
    await service.run();
    expect(await count('document_updates', document.id)).toBe(0);
    expect(await count('document_snapshots', document.id)).toBe(0);
    expect(await count('document_removals', document.id)).toBe(0);
    await service.stop();
    await log.stop();
  });

  test('P2.4 a document that is deleted while its snapshot is due is no trouble', async () => {
    const key = await newDocument(database);
    const log = testLog(database);
    const document = await log.open(key, new Recorder());
    document.append(new Author('ada').next());
    await document.flush();
    let complaints = 0;
    const error = (fields: { document?: string }) => (complaints += Number(fields.document === key));
    const service = compactor({ logger: { ...silentLogger, error } });
    const { pool } = database;
    const connect = pool.connect.bind(pool) as (...args: unknown[]) => Promise<unknown>;
    let connections = 0;
    // The first is for what is left of deleted ones; by the second this document has been found.
    const deleteFirst = async (...args: unknown[]) => {
      if (args.length === 0 && ++connections === 2) await store.delete(pool, key);
      return connect(...args);
    };
    const connecting = vi.spyOn(pool, 'connect').mockImplementation(deleteFirst as never);
    await service.run();
    connecting.mockRestore();
    expect(complaints).toBe(0);
    expect(await store.get(pool, key)).toBeUndefined();
    expect(service.failing).toBe(false);
    await service.stop();
    await log.stop();
  });

  test('P2.4 all of a deleted document’s rows go, also when several instances remove them at once', async () => {
    const { id } = await store.create(database.pool, { key: documentKey('acme', 'long'), createdBy: 'ada' });
    await database.pool.query(
      `INSERT INTO document_updates (document_id, seq, at, policy_rev, batch, kind, actor, session, instance, update)
       SELECT $1, seq, now(), 1, gen_random_uuid(), 'edit', 'ada', 's', 'test', '\\x0000'
       FROM generate_series(1, 10000) AS seq`,
      [id],
    );
    await store.delete(database.pool, documentKey('acme', 'long'));
    const services = [0, 1, 2].map(() => compactor());
    await Promise.all(services.map((service) => service.run()));
    expect(await count('document_updates', id)).toBe(0);
    expect(await count('document_removals', id)).toBe(0);
    await Promise.all(services.map((service) => service.stop()));
  });
});

function isPrefix(edits: readonly string[], doc: Y.Doc): boolean {
  const all = doc.getArray<string>('edits').toArray();
  return edits.every((edit, index) => all[index] === edit);
}
