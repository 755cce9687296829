import { once } from 'node:events';
import { connect, createServer, type AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { noMetrics, silentLogger, type CommittedUpdate, type Logger } from '@weft/common';
import { FaultProxy, freePort, startRedis, until, type RedisServer } from '@weft/harness';
import { Redis } from 'ioredis';
import { Awareness, encodeAwarenessUpdate } from 'y-protocols/awareness';
import { Doc } from 'yjs';
import { afterEach, describe, expect, inject, test } from 'vitest';
import { RedisBackplane, type RedisBackplaneOptions } from './backplane.ts';
import type { OpenDocuments } from './open-documents.ts';
import type { RedisLink } from './redis-link.ts';
import { guardDelivery, Replica } from './replica.ts';
import { TestLog } from './testing/log.ts';
import { Vigilance } from './vigilance.ts';

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

let prefixes = 0;
const newPrefix = () => `test-${process.pid}-${prefixes++}:`;

/** What a process counts: `name{label}` → number. */
function countingMetrics() {
  const counts = new Map<string, number>();
  const metrics = {
    ...noMetrics,
    counter: (name: string) => ({
      inc: (labels: Record<string, string> = {}, by = 1) => {
        const key = `${name.replace('weft_backplane_', '')} ${Object.values(labels).join()}`.trim();
        counts.set(key, (counts.get(key) ?? 0) + by);
      },
    }),
  };
  return { metrics, count: (key: string) => counts.get(key) ?? 0 };
}

interface ProcessOptions extends Partial<RedisBackplaneOptions> {
  readonly url?: string;
  readonly interval?: number;
}

/** One process: a backplane, its vigilance, and documents of `log` that it opens. */
async function startProcess(log: TestLog, name: string, prefix: string, options: ProcessOptions = {}) {
  const { metrics, count } = countingMetrics();
  const { url = inject('redisUrl'), interval = 60_000, ...rest } = options;
  const backplane = new RedisBackplane({
    redis: { url },
    prefix,
    logger: silentLogger,
    metrics,
    heartbeat: 50,
    silence: 300,
    awarenessTick: 5,
    ...rest,
  });
  const vigilance = new Vigilance({ heads: log.heads, interval, awayInterval: 30, logger: silentLogger });
  await vigilance.start();
  guardDelivery(backplane, vigilance);
  await backplane.start();
  cleanups.push(async () => {
    await backplane.stop();
    await vigilance.stop();
  });
  await until(() => backplane.connected || options.url !== undefined);
  const applied: number[] = [];
  const seen = {
    applied,
    awareness: [] as Uint8Array[],
    stateless: [] as string[],
    lost: [] as string[],
    joined: 0,
  };
  const replica = new Replica({
    key: log.key,
    backplane,
    vigilance,
    events: {
      readRows: log.readRows,
      apply: (rows) => applied.push(...rows.map(({ seq }) => seq)),
      lost: (reason) => seen.lost.push(reason),
      awareness: (update) => seen.awareness.push(update),
      stateless: (payload) => seen.stateless.push(payload),
      peerJoined: () => seen.joined++,
      policyChanged: () => undefined,
    },
  });
  const open = async () => {
    await replica.join();
    replica.open({ id: log.id, epoch: log.epoch, seq: log.head, policyRev: 1 });
  };
  const write = (...updates: Uint8Array[]): CommittedUpdate[] => {
    const rows = (updates.length > 0 ? updates : [undefined]).map((update) => log.append(name, update));
    replica.committed(rows);
    return rows;
  };
  return { backplane, vigilance, replica, seen, count, open, write, channel: `${prefix}document:${log.key}` };
}

async function pair(options: ProcessOptions = {}) {
  const log = new TestLog();
  const prefix = newPrefix();
  const a = await startProcess(log, 'a', prefix, options);
  const b = await startProcess(log, 'b', prefix, options);
  await a.open();
  await b.open();
  return { log, prefix, a, b };
}

/** The channel of letters to a process. */
function inboxOf(prefix: string, backplane: RedisBackplane): string {
  const { sender } = backplane as unknown as { sender: Buffer };
  return `${prefix}to:${sender.toString('base64url')}`;
}

/** Messages on a channel, from now on, but for signs of life. */
async function listenTo(channel: string): Promise<Buffer[]> {
  const observer = new Redis(inject('redisUrl'));
  cleanups.push(() => observer.disconnect());
  const messages: Buffer[] = [];
  observer.on('messageBuffer', (_channel, message: Buffer) => {
    if (message.length > 1) messages.push(message);
  });
  await observer.subscribe(channel);
  return messages;
}

/**
 * A way to Redis on which the first message is published before anybody has subscribed, and its answer comes after
 * that of the subscription. @returns its port
 */
async function unluckyOrder(redisPort: string): Promise<number> {
  const published = Promise.withResolvers<void>();
  const subscribed = Promise.withResolvers<void>();
  const way = createServer((client) => {
    const redis = connect(Number(redisPort), '127.0.0.1');
    let answers = Promise.resolve();
    client.on('data', (commands) => {
      const says = commands.toString('latin1');
      const turn = says.includes('\nsubscribe\r') ? published.promise : Promise.resolve();
      void turn.then(() => redis.write(commands));
      if (!says.includes('\npublish\r')) return;
      redis.once('data', () => published.resolve());
      answers = subscribed.promise;
    });
    redis.on('data', (answer) => {
      void answers.then(() => client.write(answer));
      if (answer.includes('\nsubscribe\r')) setImmediate(() => subscribed.resolve());
    });
    for (const socket of [client, redis]) socket.on('error', () => undefined);
    client.on('close', () => redis.destroy());
  });
  cleanups.push(() => void way.close());
  await once(way.listen(0, '127.0.0.1'), 'listening');
  return (way.address() as AddressInfo).port;
}

async function ownRedis(): Promise<RedisServer> {
  const redis = await startRedis();
  cleanups.push(() => redis.remove());
  return redis;
}

describe('P2.11 a committed row reaches the other instances', () => {
  test('P2.11 once, by one message, without reading the log', async () => {
    const { log, a, b } = await pair();
    await until(() => a.seen.joined > 0);
    for (let i = 0; i < 20; i++) a.write();
    a.write(Uint8Array.from([1]), Uint8Array.from([2]));
    await until(() => b.seen.applied.length === 22);
    expect(b.seen.applied).toEqual(log.rows.map(({ seq }) => seq));
    expect(a.count('published_total updates')).toBe(21);
    expect(a.seen.applied).toEqual([]);
    expect(log.reads).toBe(0);
  });

  test('P2.11 both write at once', async () => {
    const { log, a, b } = await pair();
    await until(() => a.seen.joined > 0);
    for (let i = 0; i < 100; i++) (i % 3 ? a : b).write();
    await until(() => a.replica.cursor?.seq === 100 && b.replica.cursor?.seq === 100);
    const by = (name: string) => log.rows.filter(({ instance }) => instance === name).map(({ seq }) => seq);
    expect(a.seen.applied).toEqual(by('b'));
    expect(b.seen.applied).toEqual(by('a'));
  });

  test('P2.11 a row too large to publish is read from the log', async () => {
    const { a, b } = await pair({ maxMessageBytes: 10_000 });
    await until(() => a.seen.joined > 0);
    a.write();
    // Nothing that is published afterwards shows that it is missing.
    a.write(new Uint8Array(50_000));
    await until(() => b.seen.applied.length === 2);
    expect(b.seen.applied).toEqual([1, 2]);
  });
});

describe('P12.2 nothing is published that nobody would hear', () => {
  test('P12.2 alone, with a peer, and alone again', async () => {
    const log = new TestLog();
    const prefix = newPrefix();
    const a = await startProcess(log, 'a', prefix);
    await a.open();
    for (let i = 0; i < 5; i++) a.write();
    expect(a.count('published_total updates')).toBe(0);
    expect(a.count('skipped_total updates')).toBe(5);

    const b = await startProcess(log, 'b', prefix);
    await b.open();
    await until(() => a.seen.joined === 1);
    a.write();
    await until(() => b.seen.applied.length === 1);

    b.replica.leave();
    await until(() => {
      a.write();
      return a.count('skipped_total updates') > 5;
    });
  });

  test('P12.10 a sign of life is published only while nothing else comes back', async () => {
    const { a, b, prefix } = await pair({ heartbeat: 200, silence: 1200 });
    await until(() => a.seen.joined > 0 && b.seen.joined > 0);
    const observer = new Redis(inject('redisUrl'));
    cleanups.push(() => observer.disconnect());
    let signs = 0;
    observer.on('message', (_channel, message) => (signs += message === '.' ? 1 : 0));
    await observer.subscribe(inboxOf(prefix, a.backplane));
    await until(() => signs > 2);

    const busy = setInterval(() => a.write(), 10);
    cleanups.push(() => clearInterval(busy));
    await until(() => b.seen.applied.length > 2);
    const before = signs;
    // Five heartbeats long.
    await until(() => b.seen.applied.length > 100);
    expect(signs - before).toBeLessThanOrEqual(2);
    expect(a.backplane.connected).toBe(true);
    clearInterval(busy);
    const after = signs;
    await until(() => signs > after + 2);
  });

  test('P12.2 a peer that died without a word costs one message', async () => {
    const { a, b } = await pair();
    await until(() => a.seen.joined > 0);
    // The process is gone; nobody says bye.
    (b.backplane as unknown as { link: { stop(): void } }).link.stop();
    await until(() => {
      a.write();
      return a.count('skipped_total updates') > 0;
    });
  });

  test('P12.2 a row committed while a peer was opening and not yet known is found at once', async () => {
    const log = new TestLog();
    const prefix = newPrefix();
    const a = await startProcess(log, 'a', prefix);
    const b = await startProcess(log, 'b', prefix);
    await a.open();
    const opening = b.open();
    for (let i = 0; i < 10; i++) a.write();
    await opening;
    for (let i = 0; i < 10; i++) a.write();
    await until(() => b.replica.cursor?.seq === 20, { timeout: 2000 });
  });

  test('P5.5 a peer that nobody knows of finds its rows in the log and makes itself known', async () => {
    const { log, a, b } = await pair({ interval: 100 });
    await until(() => a.seen.joined === 1);
    const { documents } = a.backplane as unknown as { documents: OpenDocuments };
    const sender = (b.backplane as unknown as { sender: Buffer }).sender.toString('base64url');
    documents.get(log.key)!.gone(sender);
    a.write();
    expect(a.count('skipped_total updates')).toBe(1);
    await until(() => b.seen.applied.length === 1);
    await until(() => a.seen.joined === 2);
    a.write();
    await until(() => b.seen.applied.length === 2);
    expect(a.count('published_total updates')).toBe(1);
  });
});

describe('P12.16 two instances write to each other', () => {
  /** So slow that nobody counts as silent. */
  const calm = { heartbeat: 10_000, silence: 30_000 };

  test('P12.16 in letters, which their sender does not get, and which say once whose the rows are', async () => {
    const { a, b, prefix, log } = await pair(calm);
    await until(() => a.seen.joined > 0 && b.seen.joined > 0);
    const letters = await listenTo(inboxOf(prefix, b.backplane));
    const posters = await listenTo(a.channel);
    for (let i = 0; i < 20; i++) a.write(new Uint8Array(30));
    await until(() => b.seen.applied.length === 20 && letters.length === 20);
    expect(posters).toEqual([]);
    for (const letter of letters.slice(1)) expect(letter.length).toBeLessThan(30 + 24);
    expect(log.reads).toBe(0);
  });

  test('P12.16 a third gets all that follows, without reading the log', async () => {
    const { log, prefix, a, b } = await pair(calm);
    await until(() => a.seen.joined > 0 && b.seen.joined > 0);
    a.write();
    await until(() => b.seen.applied.length === 1);
    const c = await startProcess(log, 'c', prefix, calm);
    await c.open();
    await until(() => a.seen.joined > 1 && b.seen.joined > 1);
    const letters = await listenTo(inboxOf(prefix, b.backplane));
    for (let i = 0; i < 10; i++) (i % 2 ? a : b).write();
    await until(() => c.seen.applied.length === 10 && a.replica.cursor?.seq === 11);
    expect(letters).toEqual([]);
    c.replica.leave();
    await until(() => {
      a.write();
      return letters.length > 0;
    });
    await until(() => b.replica.cursor?.seq === log.head);
    expect(log.reads).toBe(0);
  });

  test('P12.16 who is silent may not be the only one: everybody is sent something now and then', async () => {
    const { a, b } = await pair({ heartbeat: 40 });
    await until(() => a.seen.joined > 0 && b.seen.joined > 0);
    const posters = await listenTo(a.channel);
    await until(() => {
      a.write();
      return posters.length > 2;
    });
    await until(() => b.replica.cursor?.seq === a.replica.cursor?.seq);
  });

  test('P12.16 a peer that opened the document anew is written to as the new one', async () => {
    const { log, prefix, a, b } = await pair(calm);
    await until(() => a.seen.joined > 0 && b.seen.joined > 0);
    a.write();
    await until(() => b.seen.applied.length === 1);
    b.replica.leave();
    const again = await startProcess(log, 'b', prefix, calm);
    await again.open();
    await until(() => a.seen.joined > 1);
    for (let i = 0; i < 3; i++) a.write();
    await until(() => again.seen.applied.length === 3);
    expect(log.reads).toBe(0);
  });

  test('P5.5 whoever missed whose the rows are reads them in the log, and is told again', async () => {
    const { a, b, log } = await pair(calm);
    await until(() => a.seen.joined > 0 && b.seen.joined > 0);
    a.write();
    await until(() => b.seen.applied.length === 1);
    // As if what defined it had never come.
    const { documents } = b.backplane as unknown as { documents: OpenDocuments };
    const { sender } = a.backplane as unknown as { sender: Buffer };
    documents.get(log.key)!.gone(sender.toString('base64url'));
    documents.get(log.key)!.heard(sender.toString('base64url'), performance.now());
    const greetings = a.seen.joined;
    a.write();
    await until(() => b.seen.applied.length === 2 && a.seen.joined > greetings);
    expect([b.count('received_total unread'), log.reads]).toEqual([1, 1]);
    a.write();
    await until(() => b.seen.applied.length === 3);
    expect([b.count('received_total unread'), log.reads]).toEqual([1, 1]);
  });

  test('P7.4 letters of strangers are counted and dropped', async () => {
    const { a, b, prefix } = await pair(calm);
    await until(() => a.seen.joined > 0 && b.seen.joined > 0);
    const stranger = new Redis(inject('redisUrl'));
    cleanups.push(() => stranger.disconnect());
    const inbox = inboxOf(prefix, b.backplane);
    const garbage = [
      Buffer.from([1, 2, 3]),
      Buffer.alloc(0),
      Buffer.from('\u0001W\u0001'),
      Buffer.alloc(3_000_000),
    ];
    for (const message of garbage) await stranger.publish(inbox, message);
    // Of a document that is not open.
    await stranger.publish(inbox, Buffer.concat([Buffer.from([99]), Buffer.alloc(20)]));
    await until(() => b.count('dropped_total malformed') === 3 && b.count('dropped_total too-large') === 1);
    a.write();
    await until(() => b.seen.applied.length === 1);
    expect(b.seen.lost).toEqual([]);
  });
});

describe('P6.8 presence and messages reach the other instances', () => {
  test('P6.8 joined per tick, the newest of each person', async () => {
    const { a, b } = await pair();
    await until(() => a.seen.joined > 0);
    const person = new Awareness(new Doc());
    cleanups.push(() => person.destroy());
    for (let at = 0; at < 30; at++) {
      person.setLocalState({ at });
      a.replica.publishAwareness(encodeAwarenessUpdate(person, [person.clientID]), 1);
    }
    a.replica.publishStateless('{"hello":"there"}');
    await until(() => b.seen.awareness.length > 0 && b.seen.stateless.length > 0);
    expect(b.seen.stateless).toEqual(['{"hello":"there"}']);
    expect(b.seen.awareness).toHaveLength(1);
    expect(Buffer.from(b.seen.awareness[0]!).toString()).toContain('{"at":29}');
  });

  test('P6.8 who is told of while the document is still being loaded is present when it is open', async () => {
    const log = new TestLog();
    const prefix = newPrefix();
    const a = await startProcess(log, 'a', prefix);
    const b = await startProcess(log, 'b', prefix);
    await a.open();
    await b.replica.join();
    await until(() => a.seen.joined > 0);
    const person = new Awareness(new Doc());
    cleanups.push(() => person.destroy());
    for (let at = 0; at < 3; at++) {
      const published = b.count('received_total awareness');
      person.setLocalState({ at });
      a.replica.publishAwareness(encodeAwarenessUpdate(person, [person.clientID]), 1);
      await until(() => b.count('received_total awareness') > published);
    }
    expect(b.seen.awareness).toEqual([]);
    b.replica.open({ id: log.id, epoch: log.epoch, seq: log.head, policyRev: 1 });
    expect(b.seen.awareness).toHaveLength(1);
    expect(Buffer.from(b.seen.awareness[0]!).toString()).toContain('{"at":2}');
  });

  test('P12.4 in a crowd less often, and at once when it was quiet', async () => {
    const { a, b } = await pair();
    await until(() => a.seen.joined > 0);
    const person = new Awareness(new Doc());
    cleanups.push(() => person.destroy());
    const startedAt = performance.now();
    const published = a.count('published_total awareness');
    const shows = (at: number) =>
      b.seen.awareness.some((bytes) => Buffer.from(bytes).includes(`{"at":${at}}`));
    const move = (at: number) => {
      person.setLocalState({ at });
      a.replica.publishAwareness(encodeAwarenessUpdate(person, [person.clientID]), 500);
    };
    move(0);
    await until(() => shows(0));
    for (let at = 1; performance.now() - startedAt < 600; at++) {
      move(at);
      await delay(3);
    }
    move(-1);
    await until(() => shows(-1));
    const ticks = (performance.now() - startedAt) / 250;
    expect(a.count('published_total awareness') - published).toBeLessThanOrEqual(2 + ticks);
  });

  test('P12.4 what waits for its tick goes along with the next row', async () => {
    const { a, b } = await pair({ awarenessTick: 60_000 });
    await until(() => a.seen.joined > 0);
    const person = new Awareness(new Doc());
    cleanups.push(() => person.destroy());
    for (let at = 1; at <= 3; at++) {
      person.setLocalState({ at });
      a.replica.publishAwareness(encodeAwarenessUpdate(person, [person.clientID]), 1);
      a.write();
      await until(() => b.seen.awareness.some((bytes) => Buffer.from(bytes).includes(`{"at":${at}}`)));
      expect(b.seen.applied).toHaveLength(at);
    }
    expect(a.count('published_total awareness')).toBe(0);
  });

  test('P6.8 what the last tick holds is sent before leaving', async () => {
    const { a, b } = await pair({ awarenessTick: 60_000 });
    await until(() => a.seen.joined > 0);
    const person = new Awareness(new Doc());
    cleanups.push(() => person.destroy());
    a.replica.publishAwareness(encodeAwarenessUpdate(person, [person.clientID]), 1);
    a.replica.leave();
    await until(() => b.seen.awareness.length === 1);
  });
});

describe('P7.4 what is on a channel cannot hurt the process', () => {
  test('P7.4 garbage is counted and dropped, and the next row arrives', async () => {
    const { a, b } = await pair();
    await until(() => a.seen.joined > 0);
    const stranger = new Redis(inject('redisUrl'));
    cleanups.push(() => stranger.disconnect());
    const garbage = [
      Buffer.from([1, 2, 3]),
      Buffer.alloc(0),
      Buffer.from('W\u0001'),
      Buffer.alloc(3_000_000),
    ];
    for (const message of garbage) await stranger.publish(b.channel, message);
    await until(() => b.count('dropped_total malformed') === 3 && b.count('dropped_total too-large') === 1);
    a.write();
    await until(() => b.seen.applied.length === 1);
    expect(b.seen.lost).toEqual([]);
  });
});

describe('P5.6 Redis is expendable', () => {
  const converged = async ({ log, a, b }: Awaited<ReturnType<typeof pair>>) => {
    const position = () => `${a.replica.cursor?.seq} ${b.replica.cursor?.seq}`;
    await until(() => position() === `${log.head} ${log.head}`, { timeout: 5000 });
    expect([...a.seen.applied, ...b.seen.applied].sort((x, y) => x - y)).toEqual(
      log.rows.map(({ seq }) => seq),
    );
    expect([...a.seen.lost, ...b.seen.lost]).toEqual([]);
  };

  test.each([
    ['paused', 'SIGSTOP', 'SIGCONT'],
    ['killed and restarted', 'SIGKILL', undefined],
  ] as const)('P5.6 %s: the log goes on alone, and messages come again', async (_, stop, go) => {
    const redis = await ownRedis();
    const both = await pair({ url: redis.url });
    const { a, b } = both;
    await until(() => a.seen.joined > 0);
    for (let i = 0; i < 10; i++) (i % 2 ? a : b).write();
    if (go) process.kill(redis.process.pid, stop);
    else await redis.stop(stop);
    for (let i = 0; i < 10; i++) (i % 2 ? a : b).write();
    await until(() => !a.backplane.connected && !b.backplane.connected);
    for (let i = 0; i < 10; i++) (i % 2 ? a : b).write();
    await converged(both);
    if (go) process.kill(redis.process.pid, go);
    else await redis.start();
    await until(() => a.backplane.connected && b.backplane.connected);
    const published = a.count('published_total updates');
    await until(() => {
      a.write();
      return a.count('published_total updates') > published + 3;
    });
    await converged(both);
  });

  test('P5.6 flushed: nothing is even noticed', async () => {
    const redis = await ownRedis();
    const both = await pair({ url: redis.url });
    await until(() => both.a.seen.joined > 0);
    const admin = new Redis(redis.url);
    cleanups.push(() => admin.disconnect());
    both.a.write();
    await admin.flushall();
    both.a.write();
    await converged(both);
    expect(both.log.reads).toBe(0);
  });

  test('P5.6 messages lost silently: found by the next check of the heads', async () => {
    const redis = await ownRedis();
    const proxy = await FaultProxy.start(redis.port);
    cleanups.push(() => proxy.close());
    const log = new TestLog();
    const prefix = newPrefix();
    const a = await startProcess(log, 'a', prefix, { url: redis.url });
    const b = await startProcess(log, 'b', prefix, {
      url: proxy.through(redis.url),
      interval: 100,
      // It does not notice.
      silence: 60_000,
    });
    await a.open();
    await until(() => b.backplane.connected);
    await b.open();
    await until(() => a.seen.joined > 0);
    proxy.toClient.mode = 'drop';
    for (let i = 0; i < 5; i++) a.write();
    await until(() => b.seen.applied.length === 5);
    proxy.toClient.mode = 'pass';
    await converged({ log, prefix, a, b });
  });

  test('P5.6 a subscription that Redis has lost is noticed by what reaches nobody, and made again', async () => {
    const log = new TestLog();
    // The link itself notices nothing.
    const a = await startProcess(log, 'a', newPrefix(), { silence: 60_000 });
    await a.open();
    const observer = new Redis(inject('redisUrl'));
    cleanups.push(() => observer.disconnect());
    const subscribers = async () => (await observer.pubsub('NUMSUB', a.channel))[1];
    let ups = 0;
    cleanups.push(a.backplane.listen({ up: () => ups++ }));
    const { link } = a.backplane as unknown as { link: RedisLink };
    link.unsubscribe(a.channel);
    // What comes meanwhile is looked for.
    await until(() => {
      a.backplane.announce(log.key);
      return ups > 0;
    });
    await until(async () => (await subscribers()) === 1);
  });

  test('P5.6 cut off alone: the connection comes back by itself, and opening a document does not wait for it', async () => {
    const redis = await ownRedis();
    const proxy = await FaultProxy.start(redis.port);
    cleanups.push(() => proxy.close());
    const log = new TestLog();
    const b = await startProcess(log, 'b', newPrefix(), { url: proxy.through(redis.url), silence: 100 });
    await until(() => b.backplane.connected);
    proxy.setMode('stall');
    const since = performance.now();
    await b.open();
    expect(performance.now() - since).toBeLessThan(1500);
    await until(() => !b.backplane.connected);
    proxy.setMode('pass');
    proxy.cut();
    await until(() => b.backplane.connected);
  });

  test('P5.6 what was lost with a connection takes no room from what is published after it', async () => {
    const redis = await ownRedis();
    const proxy = await FaultProxy.start(redis.port);
    cleanups.push(() => proxy.close());
    const [log, prefix] = [new TestLog(), newPrefix()];
    const own = { silence: 60_000, maxPendingBytes: 30_000 };
    const a = await startProcess(log, 'a', prefix, { ...own, url: proxy.through(redis.url) });
    const b = await startProcess(log, 'b', prefix, { ...own, url: redis.url });
    await until(() => a.backplane.connected && b.backplane.connected);
    await a.open();
    await b.open();
    await until(() => a.seen.joined > 0);
    proxy.setMode('drop');
    for (let row = 0; row < 5; row++) a.write(new Uint8Array(10_000));
    expect(a.count('dropped_total backlog')).toBeGreaterThan(0);
    proxy.setMode('pass');
    proxy.cut();
    await until(() => a.count('dropped_total failed') > 1);
    // Where it has got to is said when it is back; from then on only what is published arrives.
    await until(() => b.seen.applied.length === 5);
    a.write(new Uint8Array(20_000));
    await until(() => b.seen.applied.length === 6);
  });

  test('P5.6 the first sign of life was sent too soon: the next one does not wait for its time', async () => {
    const port = await unluckyOrder(new URL(inject('redisUrl')).port);
    const rare = { heartbeat: 60_000, silence: 180_000 };
    const { backplane } = await startProcess(new TestLog(), 'a', newPrefix(), {
      url: `redis://127.0.0.1:${port}`,
      ...rare,
    });
    await until(() => backplane.connected, { timeout: 5_000 });
  });

  test('P5.6 a process that was held up itself does not take Redis for away', async () => {
    const { log, a, b } = await pair();
    await until(() => a.seen.joined > 0 && b.seen.joined > 0);
    let downs = 0;
    cleanups.push(a.backplane.listen({ down: () => downs++ }));
    // More than twice the silence after which Redis counts as away, in which nobody here could hear it.
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 700);
    b.write();
    await until(() => a.seen.applied.length === 1);
    expect(log.reads).toBe(0);
    expect(downs).toBe(0);
  });

  test('P7.5 while Redis hangs, what waits for it is bounded', async () => {
    const redis = await ownRedis();
    const both = await pair({ url: redis.url, silence: 60_000, maxPendingBytes: 100_000, interval: 50 });
    const { a, b } = both;
    await until(() => a.seen.joined > 0);
    process.kill(redis.process.pid, 'SIGSTOP');
    for (let i = 0; i < 100; i++) a.write(new Uint8Array(10_000));
    await until(() => a.count('dropped_total backlog') > 80);
    await until(() => b.seen.applied.length === 100);
    process.kill(redis.process.pid, 'SIGCONT');
    await converged(both);
  });
});

test('P5.6 a Redis that was never there is said to be away, once and why, and connects when it comes', async () => {
  const redis = await startRedis();
  cleanups.push(() => redis.remove());
  await redis.stop();
  const lines: { readonly message: string; readonly fields: object }[] = [];
  const note = (fields: object, message: string) => void lines.push({ message, fields });
  const logger: Logger = { ...silentLogger, info: note, warn: note };
  const backplane = new RedisBackplane({ redis: { url: redis.url }, logger, heartbeat: 20, silence: 60 });
  cleanups.push(() => backplane.stop());
  await backplane.start();
  await until(() => lines.length > 0, { what: 'a word about it' });
  await redis.start();
  await until(() => backplane.connected, { what: 'Redis to connect' });
  const address = `127.0.0.1:${redis.port}`;
  expect(lines.slice(0, 2)).toEqual([
    {
      message: 'Redis is away; the log goes on alone',
      fields: { redis: address, reason: `connect ECONNREFUSED ${address}` },
    },
    { message: 'Redis connects the instances', fields: { redis: address } },
  ]);
});

describe('P7.6 secrets stay secret', () => {
  test('P7.6 a wrong password is not logged', async () => {
    const lines: string[] = [];
    const log = (fields: object, message: string) => void lines.push(JSON.stringify(fields) + message);
    const logger: Logger = { debug: log, info: log, warn: log, error: log };
    const url = new URL(inject('redisUrl'));
    url.username = 'somebody';
    url.password = 'open-sesame';
    const backplane = new RedisBackplane({ redis: { url: url.href }, logger });
    await backplane.start();
    cleanups.push(() => backplane.stop());
    await until(() => lines.length > 0);
    expect(lines.join('\n')).not.toContain('open-sesame');
    expect(lines.join('\n')).toContain(url.host);
  });
});

describe('P5.8 a Redis Cluster', () => {
  test('P5.8 rows arrive, and nothing is published alone', async () => {
    const between = ['--cluster-port', String(await freePort())];
    const announced = ['--cluster-announce-ip', '127.0.0.1'];
    const redis = await startRedis({ args: ['--cluster-enabled', 'yes', ...between, ...announced] });
    const { port } = redis;
    const admin = new Redis(redis.url);
    cleanups.push(async () => {
      admin.disconnect();
      await redis.remove();
    });
    await admin.cluster('ADDSLOTSRANGE', 0, 16383);
    await until(async () => (await admin.cluster('INFO')).includes('cluster_state:ok'));
    const both = await pair({ redis: { cluster: [{ host: '127.0.0.1', port }] } });
    await until(() => both.a.seen.joined > 0);
    both.a.write();
    await until(() => both.b.seen.applied.length === 1);
    both.b.replica.leave();
    await until(() => {
      both.a.write();
      return both.a.count('skipped_total updates') > 0;
    });
  });
});
