import {
  freeze,
  runSeed,
  seededRandom,
  startEncryptedRedis,
  startRedisCluster,
  startWatchedRedis,
} from '@weft/harness';
import { expect, test } from 'vitest';
import { closing } from '../shared/clean-up.ts';
import { startCluster, type TestCluster } from './cluster.ts';
import { expectUndisturbed, gather, type Crowd } from './crowd.ts';
import { redisBack } from './faults.ts';

const PASSWORD = 'not-to-be-logged';
const seed = runSeed();

async function peopleOn(env: Record<string, string>): Promise<{ cluster: TestCluster; crowd: Crowd }> {
  const cluster = closing(await startCluster({ instances: 2, env }));
  const crowd = await gather({ cluster, name: 'linked', random: seededRandom(seed), each: 5 });
  await redisBack(cluster.instances);
  return { cluster, crowd };
}

/** Rows come through Redis again, nobody was disturbed or thought to have left, and no password was logged. */
async function expectLinked({ cluster, crowd }: { cluster: TestCluster; crowd: Crowd }): Promise<void> {
  await redisBack(cluster.instances);
  await crowd.hearEachOther('linked again');
  await expectUndisturbed(cluster, crowd);
  expect(crowd.leaves).toEqual([]);
  for (const { server } of cluster.instances) expect(server.logs).not.toContain(PASSWORD);
}

test.each(['is killed', 'hangs'] as const)(
  `P5.12 a Redis master %s, and its sentinel names another (seed ${seed})`,
  async (fault) => {
    const redis = closing(await startWatchedRedis(PASSWORD));
    const people = await peopleOn({
      REDIS_URL: `redis://:${PASSWORD}@${redis.name}`,
      WEFT_REDIS_SENTINELS: `${redis.sentinel.host}:${redis.sentinel.port}`,
    });
    if (fault === 'hangs') closing(freeze(redis.master.process));
    else await redis.master.stop('SIGKILL');
    await redis.replicaTakesOver();
    await expectLinked(people);
  },
);

test(`P5.12 each node of a Redis Cluster is killed and comes back (seed ${seed})`, async () => {
  const redis = closing(await startRedisCluster(PASSWORD));
  const people = await peopleOn({
    REDIS_URL: `redis://:${PASSWORD}@127.0.0.1:${redis.nodes[0]?.port}`,
    WEFT_REDIS_CLUSTER: 'yes',
  });
  for (const node of redis.nodes) {
    await node.stop('SIGKILL');
    await people.crowd.hearEachOther(`without the node at ${node.port}`);
    await node.start();
    await redis.whole();
  }
  await expectLinked(people);
});

test(`P5.12 the link to Redis may be encrypted (seed ${seed})`, async () => {
  const { tlsPort, certificate } = closing(await startEncryptedRedis(PASSWORD));
  const people = await peopleOn({
    REDIS_URL: `rediss://:${PASSWORD}@localhost:${tlsPort}`,
    NODE_EXTRA_CA_CERTS: certificate,
  });
  await expectLinked(people);
});
