import { runSeed, seededRandom, startReplica } from '@weft/harness';
import { test } from 'vitest';
import { closing } from '../shared/clean-up.ts';
import { clusterOfFile } from './cluster.ts';
import { expectUndisturbed, gather } from './crowd.ts';

const seed = runSeed();
const cluster = clusterOfFile();

test(`P1.23 Postgres is killed and a replica that it waited for takes over, under 30 writers (seed ${seed})`, async () => {
  const { instances, postgres } = cluster();
  const replica = closing(await startReplica(postgres));
  const crowd = await gather({ cluster: cluster(), name: 'taken over', random: seededRandom(seed) });
  await postgres.stop('SIGKILL');
  await replica.promote();
  for (const instance of instances) instance.postgres.leadTo(replica.port);
  await crowd.progress(20);
  await crowd.hearEachOther('after the failover');
  await expectUndisturbed(cluster(), crowd);
});
