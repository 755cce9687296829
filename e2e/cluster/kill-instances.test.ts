import { runSeed, seededRandom } from '@weft/harness';
import { expect, test } from 'vitest';
import { closing } from '../shared/clean-up.ts';
import { Writers } from '../shared/writers.ts';
import { clusterOfFile } from './cluster.ts';
import { expectConvergence } from '../shared/convergence.ts';

const WRITERS = 30;
const KILLS = 5;
const seed = runSeed();
const cluster = clusterOfFile();

test(`P1.8 kill -9 of a random instance, ${KILLS} times under ${WRITERS} writers on three, loses nothing acknowledged (seed ${seed})`, async () => {
  const { instances, wsUrl } = cluster();
  const random = seededRandom(seed);
  const [first] = instances;
  if (!first) throw new Error('no instance');
  await first.server.as({ sub: 'owner' }).createDocument('cloth');
  const writers = closing(
    new Writers({ server: first.server, url: wsUrl, name: 'cloth', count: WRITERS, random, pace: 400 }),
  );
  await writers.opened();
  writers.start();
  for (let kill = 0; kill < KILLS; kill++) {
    // Long enough for those of the last one to be back, and to have written.
    await writers.progress(WRITERS + random.integer(5 * WRITERS));
    const victim = random.pick(instances);
    await victim.server.kill9();
    await writers.progress(random.integer(3 * WRITERS));
    await victim.server.start();
  }
  await writers.progress(WRITERS);
  const rows = await expectConvergence(cluster(), writers);
  expect(new Set(rows.map(({ actor }) => actor)).size).toBe(WRITERS);
});
