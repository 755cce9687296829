import { documentKey, silentLogger, type Logger } from '@weft/common';
import { FaultProxy, startRedis, until, type RedisServer } from '@weft/harness';
import { Redis } from 'ioredis';
import { afterEach, describe, expect, inject, test } from 'vitest';
import { RedisPresence, type RedisPresenceOptions } from './redis-presence.ts';
import {
  announcement,
  connectionsOf,
  CONTRACT_GRACE_MS,
  presenceContract,
  recordEvents,
} from './testing/contract.ts';

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

let prefixes = 0;
const newPrefix = () => `test-${process.pid}-${prefixes++}:`;
const LEASE = 600;

function connect(url: string): Redis {
  return new Redis(url, {
    lazyConnect: true,
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    retryStrategy: () => 50,
  });
}

interface InstanceOptions extends Partial<RedisPresenceOptions> {
  readonly url?: string;
}

async function startInstance(instance: string, prefix: string, options: InstanceOptions = {}) {
  const { url = inject('redisUrl'), ...rest } = options;
  const clients: Redis[] = [];
  const registry = new RedisPresence({
    connect: () => {
      const client = connect(url);
      clients.push(client);
      return client;
    },
    instance,
    prefix,
    heartbeat: 100,
    lease: LEASE,
    grace: CONTRACT_GRACE_MS,
    timeout: 500,
    logger: silentLogger,
    ...rest,
  });
  const told = recordEvents(registry);
  await registry.start();
  cleanups.push(() => registry.stop());
  /** As `kill -9`: nothing is said to Redis any more. */
  const die = () => {
    (registry as unknown as { running: boolean }).running = false;
    for (const client of clients) client.disconnect();
  };
  const listed = async () => connectionsOf(await registry.list(here));
  return { registry, told, die, listed };
}

const here = documentKey('default', 'here');

async function ownRedis(): Promise<RedisServer> {
  const redis = await startRedis();
  cleanups.push(() => redis.remove());
  return redis;
}

/** What is logged, but for single errors of a connection. */
function recordingLogger() {
  const lines: string[] = [];
  const record = (level: string) => (fields: object, message: string) => {
    const { reason } = fields as { reason?: string };
    lines.push(`${level} ${message}${reason === undefined ? '' : `: ${reason}`}`);
  };
  const logger: Logger = {
    ...silentLogger,
    info: record('info'),
    warn: record('warn'),
    error: record('error'),
  };
  return { logger, lines };
}

presenceContract('Redis', async () => (await startInstance('one', newPrefix())).registry);

describe('P6.9 every instance gives the same answer', () => {
  test('P6.9 people of all instances are listed everywhere, and told once', async () => {
    const prefix = newPrefix();
    const [a, b] = [await startInstance('a', prefix), await startInstance('b', prefix)];
    a.registry.announce(announcement('here', 'c1', 'alice'));
    await until(() => a.told.length === 1);
    b.registry.announce(announcement('here', 'c2', 'bob', { since: 2000 }));
    b.registry.announce(announcement('here', 'c3', 'alice', { since: 3000 }));
    await until(async () => (await a.listed()).join() === 'c1,c2,c3');
    expect(await b.listed()).toEqual(['c1', 'c2', 'c3']);
    expect(connectionsOf(await b.registry.listByUser('default', 'alice'))).toEqual(['c1', 'c3']);
    a.registry.leave('c1');
    await until(async () => (await b.listed()).join() === 'c2,c3');
    b.registry.leave('c3');
    await until(() => b.told.includes('-alice'));
    expect([...a.told, ...b.told].sort()).toEqual(['+alice', '+bob', '-alice']);
  });

  test('P6.9 an instance that has just started knows who is on the others', async () => {
    const prefix = newPrefix();
    const a = await startInstance('a', prefix);
    a.registry.announce(announcement('here', 'c1', 'alice'));
    await until(() => a.told.length === 1);
    const b = await startInstance('b', prefix);
    expect(await b.listed()).toEqual(['c1']);
  });

  test('P6.9 an instance starts without Redis, a little later', async () => {
    const a = await startInstance('a', newPrefix(), { url: 'redis://127.0.0.1:1', timeout: 50 });
    a.registry.announce(announcement('here', 'c1', 'alice'));
    expect(await a.listed()).toEqual(['c1']);
  });

  test('P6.7 who moves to another instance within the grace neither left nor joined', async () => {
    const prefix = newPrefix();
    const [a, b] = [await startInstance('a', prefix), await startInstance('b', prefix)];
    a.registry.announce(announcement('here', 'c1', 'alice', { clientIds: [7] }));
    await until(() => a.told.length === 1);
    a.registry.lose('c1');
    b.registry.announce(announcement('here', 'c2', 'alice', { clientIds: [7], since: 2000 }));
    await until(async () => (await a.listed()).join() === 'c2');
    // The grace is over when somebody else's, which began later, is.
    a.registry.announce(announcement('here', 'c9', 'bob'));
    a.registry.lose('c9');
    await until(() => a.told.includes('-bob'));
    expect(a.told).toEqual(['+alice', '+bob', '-bob']);
    expect(b.told).toEqual([]);
    expect(await a.listed()).toEqual(['c2']);
  });
});

test('P6.16 who moves is there from the instance that they are at, whatever the clocks of the two say', async () => {
  const prefix = newPrefix();
  const HOUR = 3_600_000;
  const ahead = { now: () => Date.now() + HOUR };
  const [a, b] = [await startInstance('a', prefix, { clock: ahead }), await startInstance('b', prefix)];
  a.registry.announce(announcement('here', 'c1', 'alice', { clientIds: [7], since: ahead.now() - 5_000 }));
  await until(() => a.told.length === 1);
  b.registry.announce(announcement('here', 'c2', 'alice', { clientIds: [7], since: Date.now() }));
  await until(async () => (await a.listed()).join() === 'c2');
  a.registry.leave('c1');
  expect(await b.listed()).toEqual(['c2']);
  expect([...a.told, ...b.told]).toEqual(['+alice']);
});

describe('P6.10 a dead instance leaves no ghost', () => {
  test('P6.10 its people are removed once, and every instance is told their client ids', async () => {
    const prefix = newPrefix();
    const [a, b, c] = [
      await startInstance('a', prefix),
      await startInstance('b', prefix),
      await startInstance('c', prefix),
    ];
    const reapers: string[] = [];
    for (const { registry } of [b, c]) {
      registry.subscribe({
        clientsGone: (_document, ids, by) => void reapers.push(...ids.map((id) => `${id} ${by}`)),
      });
    }
    for (let i = 0; i < 300; i++) {
      a.registry.announce(announcement('here', `a${i}`, `user${i}`, { clientIds: [i] }));
    }
    b.registry.announce(announcement('here', 'b', 'user0', { since: 2000 }));
    await until(async () => (await c.listed()).length === 301);
    const since = performance.now();
    a.die();
    await until(async () => (await c.listed()).length === 1);
    expect(performance.now() - since).toBeLessThan(LEASE + 500);
    const left = () => [...b.told, ...c.told].filter((event) => event.startsWith('-'));
    await until(() => left().length >= 299);
    expect(left()).toHaveLength(299);
    expect(new Set(left()).size).toBe(299);
    expect(left()).not.toContain('-user0');
    for (const { told } of [b, c]) {
      const gone = () =>
        told
          .filter((event) => event.startsWith('x'))
          .flatMap((event) => event.slice(1).split(','))
          .map(Number);
      await until(() => gone().length === 300);
      expect(gone().sort((x, y) => x - y)).toEqual(Array.from({ length: 300 }, (_, i) => i));
    }
    // Of each, one instance knows that it was the one, and the other that it was not.
    expect(reapers.toSorted()).toEqual(
      Array.from({ length: 300 }, (_, i) => [`${i} another`, `${i} us`])
        .flat()
        .toSorted(),
    );
  });

  test('P6.10 one that was frozen and goes on is a new one: no ghost, nobody twice', async () => {
    const prefix = newPrefix();
    // The grace is not what ends the connection that breaks here.
    const frozen = { heartbeat: 1500, grace: 60_000 };
    const [a, b] = [await startInstance('a', prefix, frozen), await startInstance('b', prefix)];
    a.registry.announce(announcement('here', 'a1', 'alice', { clientIds: [7] }));
    a.registry.announce(announcement('here', 'a2', 'bob', { clientIds: [8] }));
    a.registry.announce(announcement('here', 'a3', 'carol'));
    await until(async () => (await b.listed()).length === 3);
    // Its heartbeat is longer than its lease: it is dead for the others, and then goes on.
    await until(() => b.told.includes('-alice') && b.told.includes('-bob'));
    b.registry.announce(announcement('here', 'b1', 'alice', { clientIds: [7], since: 2000 }));
    await until(() => b.told.includes('+alice'));
    a.registry.lose('a3');
    await until(async () => (await b.listed()).includes('a2'));
    expect(await b.listed()).toEqual(['a2', 'b1']);
    expect(a.told.filter((event) => event === '+bob')).toHaveLength(2);
  });

  test('P6.11 an instance that stops hands its people over', async () => {
    const prefix = newPrefix();
    // It is not the end of its lease that removes who does not come back.
    const [a, b] = [await startInstance('a', prefix, { lease: 60_000 }), await startInstance('b', prefix)];
    a.registry.announce(announcement('here', 'a1', 'alice', { clientIds: [7] }));
    a.registry.announce(announcement('here', 'a2', 'bob'));
    await until(() => a.told.length === 2);
    await a.registry.stop();
    expect(await b.listed()).toEqual(['a1', 'a2']);
    b.registry.announce(announcement('here', 'b1', 'alice', { clientIds: [7], since: 2000 }));
    await until(() => b.told.includes('-bob'));
    expect(await b.listed()).toEqual(['b1']);
    expect(b.told.filter((event) => event !== 'x')).toEqual(['-bob']);
    expect(a.told).toEqual(['+alice', '+bob']);
  });
});

test('P6.11 an instance that stops hands over also those who have only just come, however many', async () => {
  const prefix = newPrefix();
  const [a, b] = [await startInstance('a', prefix), await startInstance('b', prefix, { grace: 60_000 })];
  const crowd = Array.from({ length: 350 }, (_, n) => announcement('here', `a${n}`, `person ${n}`));
  for (const person of crowd) a.registry.announce(person);
  const told = a.registry.stop();
  await told;
  expect(await b.listed()).toHaveLength(crowd.length);
});

describe('P5.7 presence without Redis', () => {
  test('P5.7 everything forgotten: entered anew, without a false join or leave', async () => {
    const redis = await ownRedis();
    const prefix = newPrefix();
    const [a, b] = [
      await startInstance('a', prefix, { url: redis.url }),
      await startInstance('b', prefix, { url: redis.url }),
    ];
    a.registry.announce(announcement('here', 'a1', 'alice'));
    b.registry.announce(announcement('here', 'b1', 'bob', { since: 2000 }));
    await until(async () => (await a.listed()).length === 2);
    const admin = new Redis(redis.url);
    cleanups.push(() => admin.disconnect());
    await admin.flushall();
    await until(async () => (await admin.keys('*document:*')).length === 1);
    await until(async () => (await a.listed()).join() + (await b.listed()).join() === 'a1,b1a1,b1');
    expect([...a.told, ...b.told]).toEqual(['+alice', '+bob']);
  });

  test('P5.7 away: each instance knows its own; back: all of it again', async () => {
    const redis = await ownRedis();
    const prefix = newPrefix();
    const [a, b] = [
      await startInstance('a', prefix, { url: redis.url }),
      await startInstance('b', prefix, { url: redis.url }),
    ];
    a.registry.announce(announcement('here', 'a1', 'alice'));
    b.registry.announce(announcement('here', 'b1', 'bob', { since: 2000 }));
    await until(async () => (await a.listed()).length === 2);
    await redis.stop('SIGKILL');
    a.registry.announce(announcement('here', 'a2', 'carol', { since: 3000 }));
    b.registry.leave('b1');
    await until(async () => (await a.listed()).join() === 'a1,a2');
    expect(await b.listed()).toEqual([]);
    // Not the same as nobody: who would be taken for gone is not known.
    expect(await b.registry.clientsIn(here)).toBeUndefined();
    await redis.start();
    await until(async () => (await b.listed()).join() === 'a1,a2', { timeout: 5000 });
    await until(() => a.told.includes('+carol') && b.told.includes('-bob'));
    expect([...a.told, ...b.told].sort()).toEqual(['+alice', '+bob', '+carol', '-bob']);
  });

  test('P5.7 P11.7 that Redis refuses to keep it is logged once, with the reason, and that it does again', async () => {
    const redis = await ownRedis();
    const { logger, lines } = recordingLogger();
    const a = await startInstance('a', newPrefix(), { url: redis.url, logger });
    const admin = new Redis(redis.url);
    cleanups.push(() => admin.disconnect());
    await admin.config('SET', 'maxmemory', '1');
    await until(() => lines.length > 0);
    a.registry.announce(announcement('here', 'a1', 'alice'));
    await until(async () => (await a.listed()).join() === 'a1');
    await admin.config('SET', 'maxmemory', '0');
    await until(() => a.told.length === 1 && lines.length > 1);
    expect(lines).toEqual([
      expect.stringMatching(/^warn Redis refuses to keep who is where: OOM /),
      'info Redis keeps who is where again',
    ]);
  });

  test('P5.7 a Redis that stood still is not a cluster that died', async () => {
    const redis = await ownRedis();
    const prefix = newPrefix();
    const options = { url: redis.url, timeout: 200 };
    const [a, b] = [await startInstance('a', prefix, options), await startInstance('b', prefix, options)];
    a.registry.announce(announcement('here', 'a1', 'alice'));
    b.registry.announce(announcement('here', 'b1', 'bob', { since: 2000 }));
    await until(async () => (await a.listed()).length === 2);
    process.kill(redis.process.pid, 'SIGSTOP');
    await until(async () => (await a.listed()).join() === 'a1');
    const stopped = performance.now();
    await until(() => performance.now() - stopped > LEASE);
    process.kill(redis.process.pid, 'SIGCONT');
    await until(async () => (await a.listed()).join() + (await b.listed()).join() === 'a1,b1a1,b1');
    const back = performance.now();
    await until(() => performance.now() - back > LEASE);
    expect([...a.told, ...b.told]).toEqual(['+alice', '+bob']);
  });

  test('P5.7 an instance that is cut off from Redis is entered again when it is back', async () => {
    const redis = await ownRedis();
    const proxy = await FaultProxy.start(redis.port);
    cleanups.push(() => proxy.close());
    const prefix = newPrefix();
    const a = await startInstance('a', prefix, { url: proxy.through(redis.url), timeout: 200 });
    const b = await startInstance('b', prefix, { url: redis.url });
    a.registry.announce(announcement('here', 'a1', 'alice'));
    await until(async () => (await b.listed()).length === 1);
    proxy.setMode('stall');
    await until(() => b.told.includes('-alice'));
    expect(await b.listed()).toEqual([]);
    await until(async () => (await a.listed()).join() === 'a1');
    proxy.setMode('pass');
    proxy.cut();
    await until(async () => (await b.listed()).join() === 'a1');
    // Redis has it before its own message about it has come back.
    await until(() => a.told.length > 1);
    expect(a.told).toEqual(['+alice', '+alice']);
  });
});

describe('P7.4 what is in Redis cannot hurt the process', () => {
  test('P7.4 foreign values and messages are ignored', async () => {
    const prefix = newPrefix();
    const a = await startInstance('a', prefix);
    a.registry.announce(announcement('here', 'a1', 'alice'));
    await until(() => a.told.length === 1);
    const stranger = new Redis(inject('redisUrl'));
    cleanups.push(() => stranger.disconnect());
    await stranger.hset(`${prefix}{presence}:document:${here}`, { x: 'nonsense', y: '{}', z: '[1]' });
    for (const message of ['', '{', '[1, null, "{}"]', 'null', '{"by":"x","entries":[1,"{}"]}']) {
      await stranger.publish(`${prefix}{presence}:gone`, message);
    }
    expect(await a.listed()).toEqual(['a1']);
    expect(a.told).toEqual(['+alice']);
  });

  test('P12.3 an instance renews one lease, however many people it has', async () => {
    const redis = await ownRedis();
    const a = await startInstance('a', newPrefix(), { url: redis.url });
    for (let i = 0; i < 1000; i++) a.registry.announce(announcement(`d${i % 50}`, `c${i}`, `user${i}`));
    await until(() => a.told.length === 1000);
    const admin = new Redis(redis.url);
    cleanups.push(() => admin.disconnect());
    const commands = async () => Number(/total_commands_processed:(\d+)/.exec(await admin.info('stats'))![1]);
    const before = await commands();
    const since = performance.now();
    await until(() => performance.now() - since > 1000);
    // Ten heartbeats, with the commands inside their script, and this test's own.
    expect((await commands()) - before).toBeLessThan(100);
  });
});
