import { freeze, runSeed, seededRandom } from '@weft/harness';
import pg from 'pg';
import { test } from 'vitest';
import { closing } from '../shared/clean-up.ts';
import { clusterOfFile } from './cluster.ts';
import { expectUndisturbed, gather, type Crowd } from './crowd.ts';
import { lasting } from './faults.ts';
import { expectNothingSaved, moreEdits } from './unsaved.ts';

const AWAY = 15_000;
const seed = runSeed();
const cluster = clusterOfFile();

const begin = (name: string): Promise<Crowd> =>
  gather({ cluster: cluster(), name, random: seededRandom(seed) });

/** A transaction of somebody else, such as an operator, that keeps the document's row and so every commit waiting. */
async function lockRow(name: string): Promise<{ close(): Promise<void> }> {
  const client = new pg.Client({ connectionString: cluster().databaseUrl });
  await client.connect();
  await client.query('BEGIN');
  await client.query('SELECT 1 FROM documents WHERE name = $1 FOR UPDATE', [name]);
  return { close: () => client.end() };
}

test(`P5.10 Postgres hangs for ${AWAY / 1000} s under 30 writers (seed ${seed})`, async () => {
  const crowd = await begin('frozen');
  const frozen = closing(freeze(cluster().postgres.process));
  await lasting(AWAY, () => expectNothingSaved(crowd, crowd.groups, 'while Postgres hangs'));
  frozen.close();
  await crowd.hearEachOther('after Postgres hung');
  await expectUndisturbed(cluster(), crowd);
});

test(`P5.10 Postgres is stopped for ${AWAY / 1000} s under 30 writers (seed ${seed})`, async () => {
  const crowd = await begin('stopped');
  const { postgres } = cluster();
  await postgres.stop('SIGINT');
  await lasting(AWAY, () => expectNothingSaved(crowd, crowd.groups, 'without Postgres'));
  await postgres.start();
  await crowd.hearEachOther('with Postgres again');
  await expectUndisturbed(cluster(), crowd);
});

test(`P5.10 a commit that hangs, and is then cut off in the middle on all instances, under 30 writers (seed ${seed})`, async () => {
  const crowd = await begin('locked');
  for (const cut of [false, true, true]) {
    const lock = closing(await lockRow('locked'));
    await expectNothingSaved(crowd, crowd.groups, 'while commits hang');
    if (cut) for (const { postgres } of cluster().instances) postgres.cut();
    await lock.close();
    await crowd.progress(20);
  }
  await expectUndisturbed(cluster(), crowd);
});

test(`P5.10 answers of commits are lost, on one instance and on all, under 30 writers (seed ${seed})`, async () => {
  const crowd = await begin('unheard');
  const { instances } = cluster();
  for (const victims of [instances.slice(0, 1), instances, instances]) {
    for (const { postgres } of victims) postgres.toClient.mode = 'stall';
    await moreEdits(crowd.groups, 100);
    for (const { postgres } of victims) {
      postgres.cut();
      postgres.toClient.mode = 'pass';
    }
    await crowd.progress(20);
  }
  await expectUndisturbed(cluster(), crowd);
});

test(`P5.10 every connection to Postgres is cut again and again, by the network and by Postgres, under 30 writers (seed ${seed})`, async () => {
  const crowd = await begin('cut');
  const random = seededRandom(seed);
  const { instances, postgres } = cluster();
  const operator = new pg.Client({ connectionString: postgres.url });
  await operator.connect();
  closing({ close: () => operator.end() });
  for (let round = 0; round < 8; round++) {
    await crowd.progress(1 + random.integer(20));
    if (round % 2 === 0) for (const { postgres: proxy } of instances) proxy.cut();
    else
      await operator.query(
        `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'weft'`,
      );
  }
  await expectUndisturbed(cluster(), crowd);
});
