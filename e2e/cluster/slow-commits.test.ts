import { runSeed, seededRandom, until } from '@weft/harness';
import pg from 'pg';
import { expect, test } from 'vitest';
import { closing } from '../shared/clean-up.ts';
import { Follower } from '../shared/follower.ts';
import { expectGapless, reader } from '../shared/promises.ts';
import { Writers } from '../shared/writers.ts';
import { clusterOfFile } from './cluster.ts';
import { expectConvergence } from '../shared/convergence.ts';

const WRITERS = 64;
const NAME = 'cloth';
const seed = runSeed();
const cluster = clusterOfFile({ instances: 2 });

/** Between the statement that hands out the numbers and its commit. */
const SLOW_COMMITS = `
  CREATE FUNCTION dawdle() RETURNS trigger LANGUAGE plpgsql AS $$
  BEGIN
    PERFORM pg_sleep(random() * 0.06);
    RETURN NULL;
  END $$;
  CREATE TRIGGER dawdle AFTER INSERT ON document_updates FOR EACH STATEMENT EXECUTE FUNCTION dawdle();`;

/** Somebody else's transaction that holds the document's row for a while, again and again. */
class Locker {
  locks = 0;
  private stopped = false;
  private readonly done: Promise<void>;

  constructor(client: pg.Client) {
    this.done = this.run(client);
  }

  private async run(client: pg.Client): Promise<void> {
    while (!this.stopped) {
      await client.query('BEGIN');
      await client.query('SELECT 1 FROM documents WHERE name = $1 FOR UPDATE', [NAME]);
      await client.query('SELECT pg_sleep(random() * 0.03)');
      await client.query('ROLLBACK');
      this.locks++;
      await client.query('SELECT pg_sleep(random() * 0.2)');
    }
  }

  async close(): Promise<void> {
    this.stopped = true;
    await this.done;
  }
}

test(`P2.1 P2.2 ${WRITERS} writers on two instances, commits that take their time, and who follows the cursor gets exactly 1, 2, 3 … (seed ${seed})`, async () => {
  const { instances, databaseUrl } = cluster();
  const [a, b] = instances;
  if (!a || !b) throw new Error('Two instances are needed');
  await a.server.as({ sub: 'owner' }).createDocument(NAME);
  const random = seededRandom(seed);
  const groups = [a, b].map(({ server, name }) =>
    closing(new Writers({ server, name: NAME, count: WRITERS / 2, random, pace: 900, prefix: name })),
  );
  await Promise.all(groups.map((group) => group.opened()));
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  closing({ close: () => client.end() });
  await client.query(SLOW_COMMITS);
  const locker = closing(new Locker(client));
  const follower = new Follower(reader(b.server, NAME), NAME);
  closing({ close: () => follower.stop() });

  for (const group of groups) group.start();
  await Promise.all(groups.map((group) => group.progress(8 * (WRITERS / 2), 90_000)));
  for (const group of groups) group.pause();
  const rows = await expectConvergence(cluster(), groups);
  await until(() => follower.rows.length >= rows.length, { what: 'the follower to catch up' });
  await follower.stop();
  await locker.close();

  expectGapless(follower.rows);
  expect(follower.rows).toEqual(rows);
  expect(new Set(rows.map(({ actor }) => actor)).size).toBe(WRITERS);
  expect(locker.locks).toBeGreaterThan(10);
});
