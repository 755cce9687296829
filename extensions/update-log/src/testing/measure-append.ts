import { randomUUID } from 'node:crypto';
import { readFileSync, readdirSync } from 'node:fs';
import { startPostgres } from '@weft/harness';
import type { Database } from '@weft/postgres';
import type { UpdateLogOptions } from '../index.ts';
import { Author, Recorder, newDocument, openTestDatabase, testLog } from './log.ts';

/**
 * Acknowledged updates per second, each writer in a document of its own and waiting for each commit, against one
 * plain INSERT per update. Prints medians, with the microseconds of CPU per update in this process and in Postgres. `node --conditions=weft-source measure-append.ts [rounds] [fsync]`
 */
const [rounds = '3', fsync = 'on'] = process.argv.slice(2);
const ROUND_MS = 1_500;
const WRITERS = [1, 10, 100];

const variants: Record<string, Partial<UpdateLogOptions>> = {
  'one lane, no gathering': { lanes: 1, gatherMs: 0 },
  'one lane, gather 5 ms': { lanes: 1, gatherMs: 5 },
  'two lanes, no gathering': { lanes: 2, gatherMs: 0 },
  'two lanes, gather 5 ms': { lanes: 2, gatherMs: 5 },
};

interface Figures {
  readonly rate: number;
  readonly client: number;
  readonly server: number;
}

/** Seconds of CPU of a process and its children, in ticks of 10 ms. Linux only. */
function cpuOfServer(pid: number): number {
  let ticks = 0;
  for (const entry of readdirSync('/proc')) {
    if (!/^\d+$/.test(entry)) continue;
    try {
      const stat = readFileSync(`/proc/${entry}/stat`, 'utf8');
      const fields = stat
        .slice(stat.lastIndexOf(')') + 2)
        .split(' ')
        .map(Number);
      const [parent = 0, user = 0, system = 0, endedUser = 0, endedSystem = 0] = [
        fields[1],
        ...fields.slice(11),
      ];
      if (Number(entry) === pid) ticks += endedUser + endedSystem;
      if (Number(entry) === pid || parent === pid) ticks += user + system;
    } catch {
      // It has ended since.
    }
  }
  return ticks / 100;
}

const postgres = await startPostgres({ fsync });
const database = await openTestDatabase(postgres.url);

async function loop(writers: number, write: (writer: number) => Promise<void>): Promise<Figures> {
  const end = performance.now() + ROUND_MS;
  let count = 0;
  const run = async (writer: number) => {
    while (performance.now() < end) {
      await write(writer);
      count++;
    }
  };
  const started = performance.now();
  const client = process.cpuUsage();
  const server = cpuOfServer(postgres.process.pid);
  await Promise.all(Array.from({ length: writers }, (_, writer) => run(writer)));
  const { user, system } = process.cpuUsage(client);
  return {
    rate: (count * 1_000) / (performance.now() - started),
    client: (user + system) / count,
    server: ((cpuOfServer(postgres.process.pid) - server) * 1e6) / count,
  };
}

async function measureLog(database: Database, writers: number, options: Partial<UpdateLogOptions>) {
  const log = testLog(database, options);
  const open = async (n: number) => ({
    document: await log.open(await newDocument(database, randomUUID()), new Recorder()),
    author: new Author(`w${n}`),
  });
  const all = await Promise.all(Array.from({ length: writers }, (_, n) => open(n)));
  const figures = await loop(writers, async (n) => {
    const writer = all[n];
    writer?.document.append(writer.author.next());
    await writer?.document.flush();
  });
  await log.stop();
  return figures;
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

await database.pool.query(
  'CREATE TABLE plain (id bigserial PRIMARY KEY, document int, actor text, at timestamptz DEFAULT now(), update bytea)',
);
const results = new Map<string, Figures[]>();
for (let round = 0; round < Number(rounds); round++) {
  for (const writers of WRITERS) {
    const note = (name: string, figures: Figures) => {
      const key = `${String(writers).padStart(3)} writers  ${name}`;
      results.set(key, [...(results.get(key) ?? []), figures]);
    };
    note('plain INSERTs', await measureInserts(database, writers));
    for (const [name, options] of Object.entries(variants)) {
      note(name, await measureLog(database, writers, options));
    }
  }
}
for (const [name, figures] of results) {
  const of = (key: keyof Figures, width: number) =>
    median(figures.map((figure) => figure[key]))
      .toFixed(0)
      .padStart(width);
  process.stdout.write(`${of('rate', 7)}/s  ${of('client', 5)} + ${of('server', 5)} µs  ${name}\n`);
}
await database.close();
await postgres.remove();
