import { openSession, until, type Session } from '@weft/harness';
import { expect, test } from 'vitest';
import { closing } from '../shared/clean-up.ts';
import { reader } from '../shared/promises.ts';
import { clusterOfFile, type Instance } from './cluster.ts';
import { crash, moveTo } from './clients.ts';
import { redisAway } from './faults.ts';
import { PresenceLog, Views } from './views.ts';

/** Milliseconds that somebody who is gone may still be shown or listed. */
const GHOST = 10_000;
/** Milliseconds in which nobody who moved may be taken for gone; longer than any grace. */
const SETTLED = 6_000;
const cluster = clusterOfFile();

function three(): readonly [Instance, Instance, Instance] {
  const [a, b, c] = cluster().instances;
  if (!a || !b || !c) throw new Error('Three instances are needed');
  return [a, b, c];
}

function join(name: string, user: string, { server }: Instance): Session {
  return closing(
    openSession({
      url: server.wsUrl,
      name,
      token: server.token({ sub: user, name: user, grants: { [name]: 'editor' } }),
    }),
  );
}

test('P6.13 a browser that crashed is gone everywhere within 10 s, and one that came back on another instance never was', async () => {
  const [a, b] = three();
  await a.server.as({ sub: 'owner' }).createDocument('browsers');
  const [lost, moved, stays] = ['lost', 'moved', 'stays'].map((user) => join('browsers', user, a));
  if (!lost || !moved || !stays) throw new Error('Three people are needed');
  const views = closing(new Views({ cluster: cluster(), name: 'browsers' }));
  await views.become(['lost', 'moved', 'stays']);

  const list = closing(new PresenceLog(reader(b.server, 'browsers'), 'browsers'));
  const since = performance.now();
  crash(lost);
  moveTo(moved, b.server.wsUrl);
  await views.become(['moved', 'stays'], GHOST);
  // The grace that began when the connections broke is over; what it ends is not who came back meanwhile.
  await until(() => performance.now() - since > SETTLED);
  await views.become(['moved', 'stays']);
  expect([...new Set(views.leaves)]).toEqual(['lost']);
  expect(views.leaves).toHaveLength(3);
  for (const people of await list.stop()) expect(people).toEqual(expect.arrayContaining(['moved', 'stays']));
  await Promise.all([moved, stays].map((session) => session.saved()));
});

test('P6.13 an instance that crashed leaves nobody behind after 10 s, and whose browser found another one never left', async () => {
  const [a, b, c] = three();
  await a.server.as({ sub: 'owner' }).createDocument('instances');
  const [lost, moved] = ['lost', 'moved'].map((user) => join('instances', user, c));
  const stays = join('instances', 'stays', a);
  if (!lost || !moved) throw new Error('Two people are needed');
  const views = closing(new Views({ cluster: cluster(), name: 'instances', instances: [a, b] }));
  await views.become(['lost', 'moved', 'stays']);

  const list = closing(new PresenceLog(reader(a.server, 'instances'), 'instances'));
  await c.server.kill9();
  crash(lost);
  moveTo(moved, b.server.wsUrl);
  await views.become(['moved', 'stays'], GHOST);
  expect([...new Set(views.leaves)]).toEqual(['lost']);
  expect(views.leaves).toHaveLength(2);
  for (const people of await list.stop()) expect(people).toEqual(expect.arrayContaining(['moved', 'stays']));
  stays.close();
  await views.become(['moved'], 1_500);
  await c.server.start();
});

test('P5.7 whoever is there is shown through an outage of Redis, and who left meanwhile is gone soon after it', async () => {
  const [a, b, c] = three();
  await a.server.as({ sub: 'owner' }).createDocument('outage');
  const leaves = join('outage', 'leaves', a);
  const [stays, alone] = [join('outage', 'stays', b), join('outage', 'alone', c)];
  const views = closing(new Views({ cluster: cluster(), name: 'outage' }));
  await views.become(['alone', 'leaves', 'stays']);

  const { redis, instances } = cluster();
  await redis.stop('SIGKILL');
  await redisAway(instances);
  leaves.close();
  const [first] = views.watchers;
  await until(() => first?.people.includes('leaves') === false);
  await redis.start();
  // Elsewhere they are taken for present until it can be known: ten seconds after Redis is back.
  await views.become(['alone', 'stays'], 2 * GHOST);
  expect([...new Set(views.leaves)]).toEqual(['leaves']);
  expect(views.leaves).toHaveLength(3);
  await Promise.all([stays, alone].map((session) => session.saved()));
});
