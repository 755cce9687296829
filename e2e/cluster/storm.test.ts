import { freeze, runSeed, seededRandom } from '@weft/harness';
import { test } from 'vitest';
import { closing } from '../shared/clean-up.ts';
import { SECONDS, STORM_ENVIRONMENT } from '../shared/storm/environment.ts';
import { Storm } from '../shared/storm/storm.ts';
import { clusterOfFile } from './cluster.ts';
import { lasting } from './faults.ts';

const seed = runSeed();
const cluster = clusterOfFile({ instances: 2, env: STORM_ENVIRONMENT });

/** Redis answers for a fifth of the time, then not for a fifth, and so on. */
async function pauseRedis(milliseconds: number): Promise<void> {
  const fifth = milliseconds / 5;
  for (let pause = 0; pause < 2; pause++) {
    await lasting(fifth);
    const frozen = freeze(cluster().redis.process);
    await lasting(fifth).finally(() => frozen.close());
  }
}

test(`P5.11 honest people on two instances come through whatever hostile ones and Redis do (WEFT_SEED=${seed})`, async () => {
  const storm = closing(new Storm({ instances: cluster().instances, random: seededRandom(seed) }));
  await storm.begin();
  await Promise.all([storm.blow(SECONDS * 1_000), pauseRedis(SECONDS * 1_000)]);
  await storm.expectUnharmed();
  await storm.expectNothingLeft();
  await storm.expectCleanEnd();
});
