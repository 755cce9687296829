import { runSeed, seededRandom } from '@weft/harness';
import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { closing } from '../shared/clean-up.ts';
import { Writers } from '../shared/writers.ts';
import { clusterOfFile } from './cluster.ts';
import { expectConvergence } from './convergence.ts';

const WRITERS = 30;
const KILLS = 6;
const seed = runSeed();
const cluster = clusterOfFile();

test(`P5.10 kill -9 of a random instance, ${KILLS} times under ${WRITERS} writers on three, loses nothing acknowledged (seed ${seed})`, async () => {
  const { instances, wsUrl } = cluster();
  const random = seededRandom(seed);
  const [first] = instances;
  if (!first) throw new Error('no instance');
  await first.server.as({ sub: 'owner' }).createDocument('cloth');
  const writers = closing(
    new Writers({ server: first.server, url: wsUrl, name: 'cloth', count: WRITERS, random, pace: 150 }),
  );
  await writers.opened();
  writers.start();
  for (let kill = 0; kill < KILLS; kill++) {
    await writers.progress(WRITERS + random.integer(10 * WRITERS));
    const victim = random.pick(instances);
    await victim.server.kill9();
    // The others go on without it for a while; the time is part of what is random.
    await delay(random.integer(1_500));
    await victim.server.start();
  }
  await writers.progress(WRITERS);
  const rows = await expectConvergence(cluster(), writers);
  expect(new Set(rows.map(({ actor }) => actor)).size).toBe(WRITERS);
});
