import {
  freeze,
  makeCertificate,
  runSeed,
  seededRandom,
  startEncryptedRedis,
  startRedisCluster,
  startWatchedRedis,
  type Certificate,
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

/** How to reach a Redis that has this certificate, or none. */
function linkTo(redis: { host: string; port?: number }, certificate?: Certificate): Record<string, string> {
  const port = redis.port === undefined ? '' : `:${redis.port}`;
  const address = `:${PASSWORD}@${redis.host}${port}`;
  if (!certificate) return { REDIS_URL: `redis://${address}` };
  return { REDIS_URL: `rediss://${address}`, NODE_EXTRA_CA_CERTS: certificate.file };
}

async function certificateFor(link: 'open' | 'encrypted'): Promise<Certificate | undefined> {
  return link === 'encrypted' ? closing(await makeCertificate()) : undefined;
}

test.each([
  ['is killed', 'encrypted'],
  ['hangs', 'open'],
] as const)(
  `P5.12 a Redis master %s, and its sentinel names another, over an %s link (seed ${seed})`,
  async (fault, link) => {
    const certificate = await certificateFor(link);
    const redis = closing(await startWatchedRedis(PASSWORD, certificate));
    const people = await peopleOn({
      ...linkTo({ host: redis.name }, certificate),
      WEFT_REDIS_SENTINELS: `${redis.sentinel.host}:${redis.sentinel.port}`,
      WEFT_REDIS_SENTINEL_PASSWORD: PASSWORD,
    });
    if (fault === 'hangs') closing(freeze(redis.master.process));
    else await redis.master.stop('SIGKILL');
    await redis.replicaTakesOver();
    await expectLinked(people);
  },
);

test.each(['open', 'encrypted'] as const)(
  `P5.12 each node of a Redis Cluster is killed and comes back, over %s links (seed ${seed})`,
  async (link) => {
    const certificate = await certificateFor(link);
    const redis = closing(await startRedisCluster(PASSWORD, certificate));
    const people = await peopleOn({
      ...linkTo({ host: 'localhost', port: redis.port }, certificate),
      WEFT_REDIS_CLUSTER: 'yes',
    });
    for (const node of redis.nodes) {
      await node.stop('SIGKILL');
      await people.crowd.hearEachOther(`without the node at ${node.port}`);
      await node.start();
      await redis.whole();
    }
    await expectLinked(people);
  },
);

test(`P5.12 the link to Redis may be encrypted (seed ${seed})`, async () => {
  const certificate = closing(await makeCertificate());
  const { tlsPort: port } = closing(await startEncryptedRedis(PASSWORD, certificate));
  await expectLinked(await peopleOn(linkTo({ host: 'localhost', port }, certificate)));
});
