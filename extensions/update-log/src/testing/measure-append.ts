import { randomUUID } from 'node:crypto';
import { startPostgres } from '@weft/harness';
import type { Database } from '@weft/postgres';
import type { UpdateLogOptions } from '../index.ts';
import { Author, Recorder, newDocument, openTestDatabase, testLog } from './log.ts';

/**
 * Acknowledged updates per second, each writer in a document of its own and waiting for each commit, against one
 * plain INSERT per update. Prints medians. `node --conditions=weft-source measure-append.ts [rounds] [fsync]`
 */
const [rounds = '3', fsync = 'on'] = process.argv.slice(2);
const ROUND_MS = 1_500;
const WRITERS = [1, 10, 100];

const variants: Record<string, Partial<UpdateLogOptions>> = {
  'one lane, no linger': { lanes: 1, lingerMs: 0 },
  'one lane, linger 1 ms': { lanes: 1, lingerMs: 1 },
  'two lanes, no linger': { lanes: 2, lingerMs: 0 },
  'two lanes, linger 1 ms': { lanes: 2, lingerMs: 1 },
};

async function loop(writers: number, write: (writer: number) => Promise<void>): Promise<number> {
  const end = performance.now() + ROUND_MS;
  let count = 0;
  const run = async (writer: number) => {
    while (performance.now() < end) {
      await write(writer);
      count++;
    }
  };
  const started = performance.now();
  await Promise.all(Array.from({ length: writers }, (_, writer) => run(writer)));
  return (count * 1_000) / (performance.now() - started);
}

async function measureLog(database: Database, writers: number, options: Partial<UpdateLogOptions>) {
  const log = testLog(database, options);
  const open = async (n: number) => ({
    document: await log.open(await newDocument(database, randomUUID()), new Recorder()),
    author: new Author(`w${n}`),
  });
  const all = await Promise.all(Array.from({ length: writers }, (_, n) => open(n)));
  const rate = await loop(writers, async (n) => {
    const writer = all[n];
    writer?.document.append(writer.author.next());
    await writer?.document.flush();
  });
  await log.stop();
  return rate;
}

async function measureInserts(database: Database, writers: number) {
  const authors = Array.from({ length: writers }, (_, n) => new Author(`w${n}`));
  return loop(writers, async (n) => {
    const entry = authors[n]?.next();
    await database.pool.query({
      name: 'plain',
      text: 'INSERT INTO plain (document, actor, update) VALUES ($1, $2, $3)',
      values: [n, entry?.actor, entry?.update],
    });
  });
}

const median = (values: number[]) => values.sort((a, b) => a - b)[values.length >> 1] ?? 0;

const postgres = await startPostgres({ fsync });
const database = await openTestDatabase(postgres.url);
await database.pool.query(
  'CREATE TABLE plain (id bigserial PRIMARY KEY, document int, actor text, at timestamptz DEFAULT now(), update bytea)',
);
const results = new Map<string, number[]>();
for (let round = 0; round < Number(rounds); round++) {
  for (const writers of WRITERS) {
    const note = (name: string, rate: number) => {
      const key = `${String(writers).padStart(3)} writers  ${name}`;
      results.set(key, [...(results.get(key) ?? []), rate]);
    };
    note('plain INSERTs', await measureInserts(database, writers));
    for (const [name, options] of Object.entries(variants)) {
      note(name, await measureLog(database, writers, options));
    }
  }
}
for (const [name, rates] of results)
  process.stdout.write(`${median(rates).toFixed(0).padStart(7)}/s  ${name}\n`);
await database.close();
await postgres.remove();
