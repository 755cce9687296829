import { openSession, runSeed, seededRandom, until, type LogRow, type Session } from '@weft/harness';
import pg from 'pg';
import { describe, expect, test } from 'vitest';
import { closing } from '../shared/clean-up.ts';
import { clusterOfFile, cutOff, heal, type Instance } from './cluster.ts';
import { expectConvergence, type Writing } from '../shared/convergence.ts';
import { gather, type Crowd } from './crowd.ts';
import { redisAway } from './faults.ts';

/** Milliseconds in which the rights are gone. */
const GONE_WITHIN = 1_000;
const seed = runSeed();
const cluster = clusterOfFile();

/** One person who types on several instances at once, and goes on whatever the servers say. */
class Typing implements Writing {
  readonly name: string;
  readonly sessions: readonly Session[];
  private timer: NodeJS.Timeout | undefined;

  constructor(name: string, instances: readonly Instance[]) {
    this.name = name;
    this.sessions = instances.map(({ server }) =>
      openSession({ url: server.wsUrl, name, token: server.token({ sub: 'anna', name: 'Anna' }) }),
    );
  }

  start(): void {
    this.timer = setInterval(() => {
      for (const { text } of this.sessions) text.insert(text.length, 'a');
    }, 20);
  }

  pause(): void {
    clearInterval(this.timer);
  }

  close(): void {
    this.pause();
    for (const session of this.sessions) session.close();
  }

  /** What she had promised to her, which stays. */
  get acknowledged(): Uint8Array[] {
    return this.sessions.flatMap(({ acks }) => acks.acknowledged.map(({ bytes }) => bytes));
  }

  get surplus(): number {
    return this.sessions.reduce((sum, { acks }) => sum + acks.surplus, 0);
  }

  /** Her copies hold what nobody else may get. */
  documents = () => ({});
  allSaved = () => Promise.resolve();
}

interface Place {
  readonly crowd: Crowd;
  readonly anna: Typing;
  /** Where the revoke is asked for. */
  readonly here: Instance;
}

/** Others write on all instances, Anna on all but the first, from where her right is going to be taken. */
async function begin(name: string): Promise<Place> {
  const crowd = await gather({ cluster: cluster(), name, random: seededRandom(seed), each: 3 });
  const [here, ...there] = cluster().instances;
  if (!here) throw new Error('There is no instance');
  await here.server.as({ sub: 'owner' }).grant(name, 'user:anna', 'editor');
  const anna = closing(new Typing(name, there));
  await Promise.all(anna.sessions.map((session) => session.opened()));
  anna.start();
  await until(() => anna.sessions.every(({ acks }) => acks.acknowledged.length > 20), {
    what: 'Anna to be saved on every instance she is on',
  });
  return { crowd, anna, here };
}

/** The permission revision in force, as the database has it. */
async function policyRevision(name: string): Promise<number> {
  const client = new pg.Client({ connectionString: cluster().databaseUrl });
  await client.connect();
  try {
    const { rows } = await client.query<{ rev: string }>(
      'SELECT policy_rev AS rev FROM documents WHERE name = $1',
      [name],
    );
    return Number(rows[0]?.rev);
  } finally {
    await client.end();
  }
}

/** Every row under `revision` or a later one was committed after the change that made it. */
async function expectNoRowSince(revision: number, { crowd, anna }: Place): Promise<void> {
  await crowd.progress(20);
  const rows = await expectConvergence(cluster(), [...crowd.groups, anna], { within: 10_000 });
  const since = (rows as (LogRow & { policyRev: number })[]).filter(({ policyRev }) => policyRev >= revision);
  expect(since.length).toBeGreaterThan(0);
  expect(since.filter(({ actor }) => actor === 'anna')).toEqual([]);
  expect(rows.some(({ actor }) => actor === 'anna')).toBe(true);
  expect(crowd.closes).toEqual([]);
}

const ended = ({ events }: Session) => events.find((event) => event.weft === 'closed');

describe.each([
  { redis: 'with Redis', away: false },
  { redis: 'without Redis', away: true },
])('P4.10 $redis', ({ redis, away }) => {
  test(`P4.10 a revoke on one instance, ${redis}, while the person types on two others: no row after its commit, and the rights are gone within a second (seed ${seed})`, async () => {
    const name = `revoked ${redis}`;
    const place = await begin(name);
    if (away) {
      for (const { redis: proxy } of cluster().instances) {
        cutOff(proxy);
        closing({ close: () => heal(proxy) });
      }
      await redisAway(cluster().instances);
    }
    await place.here.server.as({ sub: 'owner' }).revoke(name, 'user:anna');
    const revokedAt = performance.now();
    const revision = policyRevision(name);
    await until(() => place.anna.sessions.every(ended), { interval: 5, what: "the end of Anna's sessions" });
    expect(performance.now() - revokedAt).toBeLessThan(GONE_WITHIN);
    for (const session of place.anna.sessions) expect(ended(session)).toMatchObject({ retryable: false });
    await expectNoRowSince(await revision, place);
  });
});

test(`P4.10 an editor who becomes a viewer writes nothing from then on, on whichever instance (seed ${seed})`, async () => {
  const name = 'demoted';
  const place = await begin(name);
  await place.here.server.as({ sub: 'owner' }).grant(name, 'user:anna', 'viewer');
  const demotedAt = performance.now();
  const revision = policyRevision(name);
  const demoted = ({ events }: Session) =>
    events.some((event) => event.weft === 'access' && event.writable.length === 0);
  await until(() => place.anna.sessions.every((session) => demoted(session) || ended(session)), {
    interval: 5,
    what: 'the instances to know',
  });
  expect(performance.now() - demotedAt).toBeLessThan(GONE_WITHIN);
  await expectNoRowSince(await revision, place);
});

test(`P4.10 a revoke while the person types on an instance that is cut off from Postgres: nothing of it is ever logged (seed ${seed})`, async () => {
  const name = 'cut off';
  const place = await begin(name);
  const away = cluster().instances.slice(1);
  for (const { postgres } of away) cutOff(postgres);
  await place.here.server.as({ sub: 'owner' }).revoke(name, 'user:anna');
  const revision = await policyRevision(name);
  const typed = place.anna.sessions.map(({ text }) => text.length);
  await until(() => place.anna.sessions.every(({ text }, index) => text.length > (typed[index] ?? 0) + 50));
  // Next to what is going to be taken back, where only those can see it who see that.
  const [writer] = place.crowd.groups[1]?.sessions ?? [];
  writer?.text.insert(writer.text.length, 'and I');
  for (const { postgres } of away) heal(postgres);
  await until(() => place.anna.sessions.every(ended), { what: "the end of Anna's sessions" });
  await expectNoRowSince(revision, place);
});
