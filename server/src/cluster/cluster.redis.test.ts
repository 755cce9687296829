import { createDatabase, openSession, startRedis, until, type RedisServer } from '@weft/harness';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { startTestServer, type TestServer } from '../testing/running-server.ts';
import type { ClusterView } from './cluster-view.ts';

let redis: RedisServer;
let a: TestServer;
let b: TestServer;

const operator = { sub: 'ops', scope: 'admin' };

beforeAll(async () => {
  redis = await startRedis();
  const shared = { DATABASE_URL: await createDatabase(inject('postgresUrl')), REDIS_URL: redis.url };
  a = await startTestServer({ ...shared, WEFT_INSTANCE_ID: 'a' });
  b = await startTestServer({ ...shared, WEFT_INSTANCE_ID: 'b' });
});

afterAll(async () => {
  await Promise.all([a.remove(), b.remove()]);
  await redis.remove();
});

async function statusOf(server: TestServer, tenant = 'default'): Promise<ClusterView> {
  const { status, body } = await server.as({ ...operator, tenant })('GET', '/v1/cluster');
  expect(status).toBe(200);
  return body as ClusterView;
}

/** Without what changes from one second to the next. */
function lasting({ instances, documents, ...rest }: ClusterView) {
  return {
    ...rest,
    documents,
    instances: instances.map(({ id, version, startedAt, state, connections }) => ({
      ...{ id, version, startedAt, state, connections },
    })),
  };
}

const wsUrl = ({ port }: TestServer) => `ws://127.0.0.1:${port}/collab`;

test('P6.5 every instance shows the same cluster: instances, documents, positions and people', async () => {
  await a.as({ sub: 'ada' })('PUT', '/v1/documents/cloth', { body: {} });
  await a.as({ sub: 'ada' })('PUT', '/v1/documents/cloth/grants/user%3Agrace', { body: { role: 'editor' } });
  const ada = openSession({ url: wsUrl(a), name: 'cloth', token: a.token({ sub: 'ada', name: 'Ada' }) });
  const grace = openSession({ url: wsUrl(b), name: 'cloth', token: b.token({ sub: 'grace' }) });
  await Promise.all([ada.opened(), grace.opened()]);
  ada.text.insert(0, 'woven');
  await ada.saved();
  await until(() => grace.text.toJSON() === 'woven');

  const seen = await until(async () => {
    const [one, other] = [await statusOf(a), await statusOf(b)];
    const [document] = one.documents;
    const settled =
      document?.positions.length === 2 &&
      document.head > 0 &&
      document.positions.every(({ seq }) => seq === document.head) &&
      document.present === 2;
    const same = JSON.stringify(lasting(one)) === JSON.stringify(lasting(other));
    return settled && same ? one : undefined;
  });
  expect(seen).toMatchObject({
    redis: 'connected',
    instances: [
      { id: 'a', state: 'ready', redis: 'connected', connections: 1, sessions: 1, documents: 1, lag: 0 },
      { id: 'b', state: 'ready', redis: 'connected', connections: 1, sessions: 1, documents: 1, lag: 0 },
    ],
    documents: [
      {
        name: 'cloth',
        sessions: 2,
        positions: [
          { instance: 'a', sessions: 1 },
          { instance: 'b', sessions: 1 },
        ],
      },
    ],
    more: 0,
  });
  // In the order in which they came, and they came at once.
  const people = seen.documents[0]?.people.map(({ user, instance }) => `${user} on ${instance}`);
  expect(people?.sort()).toEqual(['ada on a', 'grace on b']);
  const writer = await until(async () =>
    (await statusOf(b)).instances.find(({ commitP99 }) => commitP99 !== null),
  );
  expect(writer).toMatchObject({ id: 'a' });
  for (const session of [ada, grace]) session.close();
});

test('P12.11 looking at the cluster on one instance makes all of them report every second', async () => {
  const ages = async () => (await statusOf(a)).instances.map(({ age }) => age);
  const reports = { seen: 0, last: Infinity };
  // Unwatched, six would take 18 s.
  await until(
    async () => {
      const age = (await ages())[1] ?? Infinity;
      if (age < reports.last) reports.seen += 1;
      reports.last = age;
      return reports.seen >= 6;
    },
    { timeout: 13_000, what: 'six reports of the other instance' },
  );
});

test('P3.31 only administrators see it, and of documents only those of their tenant', async () => {
  expect(await a.as({ sub: 'ada' })('GET', '/v1/cluster')).toMatchObject({ status: 403, code: 'forbidden' });
  expect(await a.ask('GET', '/v1/cluster')).toMatchObject({ status: 401 });
  const session = openSession({ url: wsUrl(a), name: 'cloth', token: a.token({ sub: 'ada' }) });
  await session.opened();
  await until(async () => (await statusOf(a)).documents.length === 1);
  expect((await statusOf(a, 'elsewhere')).documents).toEqual([]);
  session.close();
});

test('P7.4 what others put there is not believed', async () => {
  const client = new Redis(redis.url);
  const key = (id: string) => `weft:{cluster}:instance:${id}`;
  await client.set(key('fake'), '{"id":"fake"}');
  await client.set(key('garbage'), 'garbage');
  await client.zadd(
    'weft:{cluster}:instances',
    Date.now(),
    'fake',
    Date.now(),
    'garbage',
    Date.now(),
    'nobody',
  );
  await client.quit();
  expect((await statusOf(b)).instances.map(({ id }) => id)).toEqual(['a', 'b']);
});

test('P5.9 without Redis an instance shows itself, and says that it knows of no others', async () => {
  await redis.stop('SIGKILL');
  const alone = await until(async () => {
    const status = await statusOf(b);
    return status.redis === 'away' ? status : undefined;
  });
  expect(alone.instances).toMatchObject([{ id: 'b', redis: 'away' }]);
  await redis.start();
  await until(async () => (await statusOf(b)).instances.length === 2);
});

test('P8.6 an instance that ends on purpose is gone at once', async () => {
  await a.stop();
  expect((await statusOf(b)).instances.map(({ id }) => id)).toEqual(['b']);
});
