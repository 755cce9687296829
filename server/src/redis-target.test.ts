import { createRedisClient, type RedisTarget } from '@weft/redis-backplane';
import { expect, test } from 'vitest';
import { ConfigError, loadConfig, type Environment } from './config.ts';
import { redisTarget } from './redis-target.ts';

const load = (environment: Environment) =>
  loadConfig({ environment: { DATABASE_URL: 'postgres://localhost/weft', ...environment } });
const targetOf = (environment: Environment) => redisTarget(load(environment));

/** What ioredis makes of it. */
function optionsOf(target: RedisTarget | undefined) {
  if (!target) throw new Error('There is no Redis');
  const client = createRedisClient(target);
  client.disconnect();
  return client.options;
}

test('P5.12 none is a single instance, and a URL is one Redis', () => {
  expect(targetOf({})).toBeUndefined();
  expect(targetOf({ REDIS_URL: 'rediss://redis:6380/2' })).toEqual({ url: 'rediss://redis:6380/2' });
});

test('P5.12 sentinels are asked for the group that the URL names, with the account and database in it', () => {
  const target = targetOf({
    REDIS_URL: 'rediss://weft:p%40ss@main-group/3',
    WEFT_REDIS_SENTINELS: 's1.internal:26379, [fd00::2]:26380',
    WEFT_REDIS_SENTINEL_PASSWORD: 'theirs',
  });
  expect(optionsOf(target)).toMatchObject({
    sentinels: [
      { host: 's1.internal', port: 26_379 },
      { host: 'fd00::2', port: 26_380 },
    ],
    name: 'main-group',
    username: 'weft',
    password: 'p@ss',
    db: 3,
    sentinelPassword: 'theirs',
    tls: {},
    sentinelTLS: {},
    enableTLSForSentinelMode: true,
  });
  expect(optionsOf(targetOf({ REDIS_URL: 'redis://g', WEFT_REDIS_SENTINELS: 's:1' }))).not.toHaveProperty(
    'tls',
  );
});

test('P5.12 one node of a cluster is enough, and an encrypted one is called by its name', () => {
  const target = targetOf({ REDIS_URL: 'rediss://:secret@any.node', WEFT_REDIS_CLUSTER: 'yes' });
  expect(target).toMatchObject({
    cluster: [{ host: 'any.node', port: 6_379 }],
    options: { redisOptions: { password: 'secret', tls: {} } },
  });
  const plain = targetOf({ REDIS_URL: 'redis://any.node:7000', WEFT_REDIS_CLUSTER: 'yes' });
  expect(plain).toEqual({ cluster: [{ host: 'any.node', port: 7_000 }], options: { redisOptions: {} } });
});

test('P5.12 sentinels that are no addresses, or of a cluster, are refused, and those without a group warned of', () => {
  const refused = (environment: Environment) => expect(() => load(environment)).toThrow(ConfigError);
  refused({ REDIS_URL: 'redis://g', WEFT_REDIS_SENTINELS: 's1' });
  refused({ REDIS_URL: 'redis://g', WEFT_REDIS_SENTINELS: 's1:0,s2:26379' });
  refused({ REDIS_URL: 'redis://g', WEFT_REDIS_SENTINELS: 's1:26379', WEFT_REDIS_CLUSTER: 'yes' });
  expect(load({ WEFT_REDIS_SENTINELS: 's1:26379' }).warnings).toEqual([
    'WEFT_REDIS_SENTINELS has no effect without REDIS_URL: its host is the name of the group they watch.',
  ]);
});
