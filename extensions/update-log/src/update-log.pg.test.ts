import { setImmediate as nextTurn, setTimeout as delay } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { WeftError, type Cursor } from '@weft/common';
import { until } from '@weft/harness';
import type { Database } from '@weft/postgres';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { Author, Recorder, editsOf, newDocument, openTestDatabase, store, testLog } from './testing/log.ts';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

describe('the update log', () => {
  let database: Database;

  beforeAll(async () => {
    database = await openTestDatabase(inject('postgresUrl'));
  });
  afterAll(() => database.close());

  test('P1.1 tells of a commit only when the row can be read', async () => {
    const key = await newDocument(database);
    const log = testLog(database);
    const recorder = new Recorder();
    const document = await log.open(key, recorder);
    const entry = new Author('ada').next();
    expect(document.append(entry)).toBe(1);
    expect(recorder.through).toBe(0);
    await document.flush();
    expect(recorder.through).toBe(1);
    expect(recorder.rows).toMatchObject([
      {
        document: key,
        epoch: document.epoch,
        seq: 1,
        actor: 'ada',
        session: 'ada-1',
        instance: 'test',
        policyRev: 1,
      },
    ]);
    const page = await log.readUpdates(key);
    expect(page.rows).toEqual([{ ...recorder.rows[0], update: Buffer.from(entry.update) }]);
    expect(page.next).toEqual({ epoch: document.epoch, seq: 1 });
    await log.stop();
  });

  test('P1.1 tells nobody of a commit before it is on the disk', async () => {
    const disk = Promise.withResolvers<void>();
    let syncing = false;
    const syncToDisk = () => {
      syncing = true;
      return disk.promise;
    };
    const log = testLog(database, { syncToDisk });
    const recorder = new Recorder();
    const document = await log.open(await newDocument(database), recorder);
    document.append(new Author('ada').next());
    await until(() => syncing);
    expect((await log.readUpdates(document.key)).head).toBe(1);
    expect(recorder.through).toBe(0);
    disk.resolve();
    await document.flush();
    expect(recorder.through).toBe(1);
    await log.stop();
  });

  test('P1.4 an update larger than all that may wait is saved where nothing else waits', async () => {
    const log = testLog(database, { maxPendingBytes: 100 });
    const document = await log.open(await newDocument(database), new Recorder());
    const author = new Author('ada');
    document.append(author.next());
    expect(() => document.append(author.next())).toThrow(
      expect.objectContaining({ code: 'log-backlog-full' }),
    );
    await document.flush();
    expect((await log.readUpdates(document.key)).head).toBe(1);
    await log.stop();
  });

  test('P11.1 a row says who wrote it, however they are called', async () => {
    const log = testLog(database);
    const document = await log.open(await newDocument(database), new Recorder());
    const names = ['', 'NULL', '"', String.raw`\\`, String.raw`a\"b`, '{x,y}', 'a,b', ' ö ', "o'neill"];
    for (const name of names) document.append(new Author(name).next());
    await document.flush();
    const { rows } = await log.readUpdates(document.key);
    expect(rows.map(({ actor }) => actor)).toEqual(names);
    await log.stop();
  });

  test('P2.6 frees what it has loaded when told to, and does not pass for an empty document then', async () => {
    const log = testLog(database);
    const document = await log.open(await newDocument(database), new Recorder());
    document.append(new Author('ada').next());
    await document.flush();
    const again = await log.open(document.key, new Recorder());
    const tail = new WeakRef(again.loaded.tail);
    expect(again.loaded).toMatchObject({ seq: 1, policyRev: 1 });
    again.forgetLoaded();
    expect(() => again.loaded).toThrow(WeftError);
    await until(() => {
      collectGarbage();
      return tail.deref() === undefined;
    });
    again.append(new Author('bob').next());
    await again.flush();
    await log.stop();
  });

  test('P2.2 two instances and 32 writers: a reader that follows the cursor gets exactly 1…N', async () => {
    const keys = await Promise.all([newDocument(database), newDocument(database), newDocument(database)]);
    const logs = [testLog(database, { instance: 'a' }), testLog(database, { instance: 'b', lanes: 2 })];
    const perWriter = 40;
    const authors = Array.from({ length: 32 }, (_, n) => new Author(`writer-${n}`));
    const recorders: Recorder[] = [];
    const key = keys[0];
    if (!key) throw new Error('no document');
    let writing = true;
    const follow = async () => {
      const seqs: number[] = [];
      let after: Cursor | undefined;
      for (;;) {
        const last = !writing;
        const page = await logs[0]!.readUpdates(key, { after, limit: 7 });
        seqs.push(...page.rows.map(({ seq }) => seq));
        after = page.next;
        if (last && page.rows.length === 0) return seqs;
      }
    };
    const reading = follow();
    const written = Promise.all(
      authors.map(async (author, n) => {
        const recorder = new Recorder();
        recorders.push(recorder);
        const document = await logs[n % 2]!.open(keys[n < 24 ? 0 : 1 + (n % 2)]!, recorder);
        for (let edit = 0; edit < perWriter; edit++) {
          document.append(author.next());
          if (Math.random() < 0.3) await document.flush();
          else await delay(Math.random() * 3);
        }
        await document.close();
      }),
    );
    await written.finally(() => (writing = false));
    const seqs = await reading;
    const { head } = await logs[1]!.readUpdates(key, { limit: 1 });
    expect(seqs).toEqual(Array.from({ length: head }, (_, n) => n + 1));

    for (const document of keys) {
      const own = recorders.flatMap(({ rows }) => rows.filter((row) => row.document === document));
      const numbers = own.map(({ seq }) => seq).sort((a, b) => a - b);
      expect(numbers).toEqual(Array.from({ length: numbers.length }, (_, n) => n + 1));
      const { update } = await logs[0]!.readState(document);
      expect(editsOf([update]).sort()).toEqual(editsOf(own.map((row) => row.update)).sort());
    }
    for (const { rows } of recorders) {
      expect(rows.map(({ seq }) => seq)).toEqual(rows.map(({ seq }) => seq).sort((a, b) => a - b));
    }
    await Promise.all(logs.map((log) => log.stop()));
  });

  test('P2.3 what waited together becomes one row per author and session', async () => {
    const key = await newDocument(database);
    const log = testLog(database);
    const recorder = new Recorder();
    const document = await log.open(key, recorder);
    const [ada, bob] = [new Author('ada'), new Author('bob')];
    const onPhone = { session: 'ada-2' };
    for (const entry of [
      ada.next(),
      ada.next(),
      ada.next(onPhone),
      ada.next(onPhone),
      bob.next(),
      ada.next(),
    ])
      document.append(entry);
    await document.flush();
    expect(recorder.rows.map(({ seq, actor, session }) => [seq, actor, session])).toEqual([
      [1, 'ada', 'ada-1'],
      [2, 'ada', 'ada-2'],
      [3, 'bob', 'bob-1'],
      [4, 'ada', 'ada-1'],
    ]);
    expect(recorder.through).toBe(6);
    expect(editsOf(recorder.rows.map(({ update }) => update)).length).toBe(6);
    await log.stop();
  });

  test('P4.4 an update authorized before a policy change is authorized again; its place is kept', async () => {
    const key = await newDocument(database);
    const log = testLog(database);
    const recorder = new Recorder();
    const ada = new Author('ada');
    const document = await log.open(key, recorder);
    document.append(ada.next());
    await document.flush();
    await database.pool.query("SELECT weft_bump_policy_revision('acme', $1)", [key.slice('acme/'.length)]);
    recorder.answer = (entry) =>
      entry.actor === 'bob' ? { verdict: 'replace', update: new Uint8Array([0, 0]) } : { verdict: 'commit' };
    const appended = [new Author('bob').next(), ada.next()];
    for (const entry of appended) document.append(entry);
    await document.flush();
    expect(recorder.asked).toHaveLength(1);
    // Its owner knows by the object whose update it is: a copy would be a stranger.
    recorder.asked[0]?.entries.forEach((entry, index) => expect(entry).toBe(appended[index]));
    expect(recorder.asked[0]).toMatchObject({ policyRev: 2, entries: [{ actor: 'bob' }, { actor: 'ada' }] });
    expect(recorder.rows.map(({ seq, actor, kind, policyRev }) => [seq, actor, kind, policyRev])).toEqual([
      [1, 'ada', 'edit', 1],
      [2, 'system', 'system', 2],
      [3, 'ada', 'edit', 2],
    ]);
    await log.stop();
  });

  test('P4.1 no row of an older revision gets a seq after the change has committed', async () => {
    const key = await newDocument(database);
    const logs = [testLog(database, { instance: 'a' }), testLog(database, { instance: 'b' })];
    const recorders = logs.map(() => new Recorder());
    const documents = await Promise.all(logs.map((log, n) => log.open(key, recorders[n]!)));
    const authors = [new Author('ada'), new Author('bob')];
    let stop = false;
    const typing = Promise.all(
      documents.map(async (document, n) => {
        while (!stop) {
          document.append(authors[n]!.next({ policyRev: 1 }));
          await delay(1);
        }
        await document.flush();
      }),
    );
    const heads: number[] = [];
    for (let change = 0; change < 10; change++) {
      await delay(10);
      await database.pool.query("SELECT weft_bump_policy_revision('acme', 'document-*')");
      // Read after the commit: every row beyond is newer than the change.
      const { head } = (await logs[0]!.heads([documents[0]!.id])).get(documents[0]!.id)!;
      heads.push(head);
    }
    stop = true;
    await typing;
    const { rows } = await database.pool.query<{ seq: string; policy_rev: string }>(
      'SELECT seq, policy_rev FROM document_updates WHERE document_id = $1 ORDER BY seq',
      [documents[0]!.id],
    );
    const first = heads.map((head, change) =>
      rows.filter((r) => Number(r.seq) > head && Number(r.policy_rev) < change + 2),
    );
    expect(first.flat()).toEqual([]);
    expect(recorders.every(({ asked }) => asked.length > 0)).toBe(true);
    await Promise.all(logs.map((log) => log.stop()));
  });

  test('P4.4 an entry that comes to nothing is settled without a row', async () => {
    const key = await newDocument(database);
    const log = testLog(database);
    const recorder = new Recorder();
    recorder.answer = () => ({ verdict: 'replace', update: new Uint8Array() });
    const document = await log.open(key, recorder);
    document.append(new Author('ada').next({ policyRev: 0 }));
    await document.flush();
    expect(recorder).toMatchObject({ rows: [], through: 1 });
    expect(log.stats()).toMatchObject({ pendingBytes: 0, pendingEntries: 0 });
    await log.stop();
  });

  test('P2.15 what was decided again for a document that was given up meanwhile waits for nothing', async () => {
    const key = await newDocument(database);
    const log = testLog(database);
    const decided = Promise.withResolvers<void>();
    const recorder = new Recorder();
    const { reauthorize } = recorder;
    recorder.reauthorize = async (...question) => {
      const answers = await reauthorize.apply(recorder, question);
      await decided.promise;
      return answers;
    };
    const document = await log.open(key, recorder);
    await database.pool.query('UPDATE documents SET policy_rev = 2 WHERE id = $1', [document.id]);
    document.append(new Author('ada').next());
    await until(() => recorder.asked.length === 1);
    await store.delete(database.pool, key);
    await log.heads([document.id]);
    expect(recorder.error?.code).toBe('document-deleted');
    decided.resolve();
    await nextTurn();
    expect(log.stats()).toMatchObject({ pendingBytes: 0, pendingEntries: 0 });
    await log.stop();
  });

  test('P4.5 when permissions cannot be checked the document fails, with the reason', async () => {
    const key = await newDocument(database);
    const log = testLog(database);
    const recorder = new Recorder();
    recorder.reauthorize = () => Promise.reject(new WeftError('permissions-unavailable'));
    const document = await log.open(key, recorder);
    document.append(new Author('ada').next({ policyRev: 7 }));
    await expect(document.flush()).rejects.toMatchObject({ code: 'permissions-unavailable' });
    expect(recorder.error?.code).toBe('permissions-unavailable');
    expect(() => document.append(new Author('ada').next())).toThrow(WeftError);
    expect(log.stats().pendingBytes).toBe(0);
    await log.stop();
  });

  test('P7.2 a row that cannot be written fails its own document only', async () => {
    const log = testLog(database);
    const recorders = [new Recorder(), new Recorder(), new Recorder()];
    const documents = await Promise.all(
      recorders.map(async (recorder) => log.open(await newDocument(database), recorder)),
    );
    documents.forEach((document, n) => {
      document.append(new Author(n === 1 ? 'no\0text' : `author-${n}`).next());
    });
    await documents[0]!.flush();
    await documents[2]!.flush();
    await until(() => recorders[1]!.error);
    expect(recorders.map(({ error }) => error?.code)).toEqual([undefined, 'log-write-failed', undefined]);
    expect(recorders.map(({ rows }) => rows.length)).toEqual([1, 0, 1]);
    await log.stop();
  });

  test('P2.4 a document that is deleted, and made again, tells its old handles', async () => {
    const key = await newDocument(database);
    const log = testLog(database);
    const recorder = new Recorder();
    const document = await log.open(key, recorder);
    await store.delete(database.pool, key);
    await store.create(database.pool, { key, createdBy: 'bob' });
    document.append(new Author('ada').next());
    await until(() => recorder.error);
    expect(recorder.error?.code).toBe('document-deleted');
    expect((await log.readUpdates(key)).rows).toEqual([]);
    await log.stop();
  });

  test('P2.16 a document whose mode another process has changed tells its old handles', async () => {
    const key = await newDocument(database);
    const log = testLog(database);
    const recorder = new Recorder();
    const document = await log.open(key, recorder);
    await store.update(database.pool, key, { title: 'Cloth' });
    await log.heads([document.id]);
    expect(recorder.error).toBeUndefined();
    await store.update(database.pool, key, { mode: 'strict' });
    await log.heads([document.id]);
    expect(recorder.error?.code).toBe('document-reload');
    expect(await log.open(key, new Recorder())).toMatchObject({ mode: 'strict' });
    await log.stop();
  });

  test('P2.5 a database put back to an older state starts another epoch', async () => {
    const key = await newDocument(database);
    const log = testLog(database);
    const recorder = new Recorder();
    const ada = new Author('ada');
    const document = await log.open(key, recorder);
    document.append(ada.next());
    await document.flush();
    document.append(ada.next());
    await document.flush();
    await database.pool.query('DELETE FROM document_updates WHERE document_id = $1 AND seq = 2', [
      document.id,
    ]);
    await database.pool.query('UPDATE documents SET head = 1 WHERE id = $1', [document.id]);
    document.append(ada.next());
    await until(() => recorder.error);
    expect(recorder.error?.code).toBe('document-reload');
    const again = await log.open(key, new Recorder());
    expect(again.epoch).toBeGreaterThan(document.epoch);
    expect(again.loaded.seq).toBe(1);
    const after = { epoch: document.epoch, seq: 1 };
    await expect(log.readUpdates(key, { after })).rejects.toMatchObject({
      code: 'cursor-epoch',
      data: { current: { epoch: again.epoch, seq: 1 } },
    });
    await log.stop();
  });

  test('P2.8 a cursor past the end was handed out by a history that is gone', async () => {
    const log = testLog(database);
    const document = await log.open(await newDocument(database), new Recorder());
    document.append(new Author('ada').next());
    await document.flush();
    const { key, epoch } = document;
    const current = { epoch, seq: 1 };
    expect((await log.readUpdates(key, { after: current })).rows).toEqual([]);
    await expect(log.readUpdates(key, { after: { epoch, seq: 2 } })).rejects.toMatchObject({
      code: 'cursor-epoch',
      data: { current },
    });
    await log.stop();
  });

  test('P2.5 asking for heads finds documents that were put back or deleted while nobody wrote', async () => {
    const log = testLog(database);
    const recorders = [new Recorder(), new Recorder(), new Recorder()];
    const open = async (recorder: Recorder) => {
      const document = await log.open(await newDocument(database), recorder);
      document.append(new Author('ada').next());
      await document.flush();
      return document;
    };
    const documents = await Promise.all(recorders.map(open));
    const ids = documents.map(({ id }) => id);
    expect([...(await log.heads(ids)).values()].map(({ head }) => head)).toEqual([1, 1, 1]);
    await database.pool.query('UPDATE documents SET head = 0 WHERE id = $1', [ids[0]]);
    await store.delete(database.pool, documents[1]!.key);
    await log.heads(ids);
    expect(recorders.map(({ error }) => error?.code)).toEqual([
      'document-reload',
      'document-deleted',
      undefined,
    ]);
    const { epoch } = (await log.heads(ids)).get(documents[0]!.id)!;
    expect(epoch).toBeGreaterThan(documents[0]!.epoch);
    await log.stop();
  });

  test('P2.5 asking for heads while writing raises no false alarm', async () => {
    const log = testLog(database);
    const recorder = new Recorder();
    const document = await log.open(await newDocument(database), recorder);
    const author = new Author('ada');
    let writing = true;
    const asking = (async () => {
      while (writing) await log.heads([document.id]);
    })();
    for (let n = 0; n < 200; n++) {
      document.append(author.next());
      await document.flush();
    }
    writing = false;
    await asking;
    expect(recorder).toMatchObject({ through: 200, error: undefined });
    await log.stop();
  });

  test('P1.2 a document that is being opened while it stops is not', async () => {
    const log = testLog(database);
    const opening = log.open(await newDocument(database), new Recorder());
    const stopped = log.stop();
    await expect(opening).rejects.toMatchObject({ code: 'server-draining' });
    await stopped;
  });

  test('P1.2 stop commits what is in flight and takes no more', async () => {
    const key = await newDocument(database);
    const log = testLog(database);
    const recorder = new Recorder();
    const document = await log.open(key, recorder);
    for (let n = 0; n < 20; n++) document.append(new Author(`author-${n}`).next());
    await log.stop();
    expect(recorder.rows).toHaveLength(20);
    expect(() => document.append(new Author('late').next())).toThrow(WeftError);
  });
});
