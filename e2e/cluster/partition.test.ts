import { runSeed, seededRandom, type FaultProxy } from '@weft/harness';
import { describe, test } from 'vitest';
import { closing } from '../shared/clean-up.ts';
import { clusterOfFile, cutOff, heal, type Instance } from './cluster.ts';
import { expectUndisturbed, gather, type Crowd } from './crowd.ts';
import { redisAway, redisBack } from './faults.ts';
import { expectNothingSaved } from './unsaved.ts';

const seed = runSeed();
const cluster = clusterOfFile();

const begin = (name: string): Promise<Crowd> =>
  gather({ cluster: cluster(), name, random: seededRandom(seed) });

/** The instance that is cut off, and the others' people. */
function oneOf(crowd: Crowd) {
  const [, instance] = cluster().instances;
  const [first, own, ...rest] = crowd.groups;
  if (!instance || !first || !own) throw new Error('The cluster is too small');
  return { instance, own, others: [first, ...rest] };
}

const KINDS = [
  { how: 'refuses', part: cutOff },
  { how: 'hangs', part: (proxy: FaultProxy) => proxy.setMode('stall') },
] as const;

describe.each(KINDS)('a network that $how', ({ how, part }) => {
  const parted = (proxy: Instance['redis']) => {
    part(proxy);
    return closing({ close: () => heal(proxy) });
  };

  test(`P5.10 between one instance and Redis: its people and the others see each other through the log (seed ${seed})`, async () => {
    const crowd = await begin(`no Redis, ${how}`);
    const { instance } = oneOf(crowd);
    const partition = parted(instance.redis);
    await redisAway([instance]);
    await crowd.hearEachOther('through the log');
    await crowd.progress(50);
    partition.close();
    await redisBack(cluster().instances);
    await expectUndisturbed(cluster(), crowd);
  });

  test(`P5.10 between one instance and Postgres: its people go on, see what the others save, and are saved at last (seed ${seed})`, async () => {
    const crowd = await begin(`no Postgres, ${how}`);
    const { instance, own, others } = oneOf(crowd);
    // A commit whose answer is lost keeps what others commit after it from being shown, until the log can be asked.
    own.pause();
    await own.allSaved();
    const partition = parted(instance.postgres);
    own.start();
    await expectNothingSaved(crowd, [own], 'cut off');
    await Promise.all(others.map((group) => group.progress(50)));
    await Promise.all(
      others.map((group) => {
        crowd.say(`from ${group.prefix}`, group);
        return crowd.heard(`from ${group.prefix}`);
      }),
    );
    partition.close();
    await crowd.hearEachOther('all together');
    await expectUndisturbed(cluster(), crowd);
  });
});
