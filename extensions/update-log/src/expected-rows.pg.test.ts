import type { Database } from '@weft/postgres';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, expect, inject, test, vi } from 'vitest';
import { Author, newDocument, openTestDatabase, Recorder, testLog } from './testing/log.ts';

let database: Database;

beforeAll(async () => {
  database = await openTestDatabase(inject('postgresUrl'));
});
afterAll(() => database.close());
afterEach(() => void vi.restoreAllMocks());

/** The names of the statements that append rows, from now on. */
function watchAppends(): string[] {
  const names: string[] = [];
  const { query } = pg.Client.prototype;
  vi.spyOn(pg.Client.prototype, 'query').mockImplementation(function (this: pg.Client, ...args: unknown[]) {
    const { name = '' } = args[0] as { name?: string };
    if (name.startsWith('weft_append')) names.push(name);
    return Reflect.apply(query, this, args) as never;
  });
  return names;
}

async function openTwice() {
  const key = await newDocument(database);
  const logs = [testLog(database, { instance: 'a' }), testLog(database, { instance: 'b' })] as const;
  const recorders = [new Recorder(), new Recorder()] as const;
  const a = await logs[0].open(key, recorders[0]);
  const b = await logs[1].open(key, recorders[1]);
  const stop = () => Promise.all(logs.map((log) => log.stop()));
  return { a, b, logs, recorders, stop };
}

test('P12.14 two instances that hear of each other write each row with one cheap statement', async () => {
  const { a, b, stop } = await openTwice();
  const authors = [new Author('ada'), new Author('bob')] as const;
  const names = watchAppends();
  for (let seq = 1; seq <= 10; seq += 2) {
    a.append(authors[0].next());
    await a.flush();
    b.expect(seq);
    b.append(authors[1].next());
    await b.flush();
    a.expect(seq + 1);
  }
  expect(names).toEqual(Array.from({ length: 10 }, () => 'weft_append_one'));
  await stop();
});

test('P12.14 what several people wrote is one cheap statement, as it was written', async () => {
  const { a, b, logs, stop } = await openTwice();
  const people = ['ada', 'bob "the \\ builder"', '{carl,NULL}', ''];
  const authors = people.map((name) => new Author(name));
  const names = watchAppends();
  const entries = [...authors, ...authors].map((author) => author.next());
  for (const entry of entries) a.append(entry);
  await a.flush();
  expect(names).toEqual(['weft_append_run']);
  const { rows } = await logs[0].readUpdates(a.key);
  expect(rows.map(({ seq }) => seq)).toEqual(entries.map((_, index) => index + 1));
  expect(rows.map(({ actor, session, update }) => ({ actor, session, update: [...update] }))).toEqual(
    entries.map(({ actor, session, update }) => ({ actor, session, update: [...update] })),
  );
  // The other instance has not heard of them.
  for (const author of authors) b.append(author.next());
  await b.flush();
  expect(names).toEqual(['weft_append_run', 'weft_append_run', 'weft_append']);
  const page = await logs[1].readUpdates(b.key);
  expect(page.rows.map(({ actor }) => actor)).toEqual([...people, ...people, ...people]);
  await stop();
});

test('P12.14 whoever was mistaken writes the next row without a guess, and guesses again when alone', async () => {
  const { a, b, stop } = await openTwice();
  const [ada, bob] = [new Author('ada'), new Author('bob')];
  const write = async (document: typeof a, author: Author) => {
    document.append(author.next());
    await document.flush();
  };
  await write(a, ada);
  const names = watchAppends();
  await write(b, bob);
  expect(names.splice(0)).toEqual(['weft_append_one', 'weft_append']);
  await write(a, ada);
  expect(names.splice(0)).toEqual(['weft_append_one', 'weft_append']);
  await write(b, bob);
  expect(names.splice(0)).toEqual(['weft_append']);
  await write(b, bob);
  await write(b, bob);
  expect(names).toEqual(['weft_append', 'weft_append_one']);
  await stop();
});

test('P12.14 a rumour of rows that do not exist, or of too few, harms nothing', async () => {
  const { a, b, logs, recorders, stop } = await openTwice();
  const authors = [new Author('ada'), new Author('bob')] as const;
  a.expect(1_000_000);
  for (let turn = 0; turn < 3; turn++) {
    a.append(authors[0].next());
    await a.flush();
    b.append(authors[1].next());
    await b.flush();
  }
  // Nobody takes the rows that were only talked of for lost ones.
  await logs[0].heads([a.id]);
  await logs[1].heads([b.id]);
  const page = await logs[0].readUpdates(a.key);
  expect(page.rows.map(({ seq, actor }) => [seq, actor])).toEqual(
    [1, 2, 3, 4, 5, 6].map((seq) => [seq, seq % 2 === 1 ? 'ada' : 'bob']),
  );
  expect(page.next.epoch).toBe(a.epoch);
  expect(recorders.map(({ error }) => error)).toEqual([undefined, undefined]);
  await stop();
});
