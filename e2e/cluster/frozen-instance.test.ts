import { openSession, seededRandom, until, type Session } from '@weft/harness';
import { expect, test } from 'vitest';
import { closing } from '../shared/clean-up.ts';
import { reader } from '../shared/promises.ts';
import { Writers } from '../shared/writers.ts';
import { crash, moveTo } from './clients.ts';
import { clusterOfFile, type Instance } from './cluster.ts';
import { expectConvergence } from '../shared/convergence.ts';
import { presenceOf, PresenceLog, Views } from './views.ts';

const NAME = 'cloth';
/** Milliseconds in which the others take it for dead: the lease, and the time since it was renewed. */
const GHOST = 10_000;
/** Milliseconds; longer than the grace of a broken connection. */
const SETTLED = 6_000;
const cluster = clusterOfFile();

function person(user: string, { server }: Instance): Writers {
  return closing(new Writers({ server, name: NAME, count: 1, random: seededRandom(1), prefix: user }));
}

function sessionOf({ sessions: [session] }: Writers): Session {
  if (!session) throw new Error('Nobody is there');
  return session;
}

/** What no typing of others removes. */
function mark({ document }: Session, text: string): void {
  document.getMap('marks').set(text, true);
}

/** Somebody whose right to write is a grant that can be taken away. */
async function guest(user: string, { server }: Instance): Promise<Session> {
  await server.as({ sub: 'owner' }).grant(NAME, `user:${user}`, 'editor');
  return closing(openSession({ url: server.wsUrl, name: NAME, token: server.token({ sub: user }) }));
}

test('P6.10 P6.13 an instance that was frozen past its lease comes back without ghosts, without anybody twice, and without a stale write', async () => {
  const [a, b, c] = cluster().instances;
  if (!a || !b || !c) throw new Error('Three instances are needed');
  await a.server.as({ sub: 'owner' }).createDocument(NAME);
  const stays = person('stays', b);
  const moves = person('moves', b);
  const leaves = person('leaves', b);
  const elsewhere = person('elsewhere', a);
  const revoked = await guest('revoked', b);
  const views = closing(new Views({ cluster: cluster(), name: NAME, instances: [a, c] }));
  await Promise.all([stays, moves, leaves, elsewhere].map((writers) => writers.opened()));
  await revoked.opened();
  await views.become(['elsewhere-0', 'leaves-0', 'moves-0', 'revoked', 'stays-0']);
  for (const { sessions } of [stays, moves, leaves, elsewhere]) {
    sessions.forEach((session) => session.text.insert(0, 'before '));
  }
  await Promise.all([stays, moves, leaves, elsewhere].map((writers) => writers.allSaved()));

  b.server.process.signal('SIGSTOP');
  const since = performance.now();
  // Into buffers of the system, from which it reads when it goes on.
  mark(sessionOf(stays), 'by who stayed');
  mark(revoked, 'by who was revoked');
  await a.server.as({ sub: 'owner' }).revoke(NAME, 'user:revoked');
  crash(sessionOf(leaves));
  mark(sessionOf(moves), 'by who moved');
  moveTo(sessionOf(moves), a.server.wsUrl);
  elsewhere.start();
  await views.become(['elsewhere-0', 'moves-0'], GHOST);
  console.log(`the people of a frozen instance were gone after ${Math.round(performance.now() - since)} ms`);
  await elsewhere.progress(20);

  const lists = [a, b, c].map(({ server }) => closing(new PresenceLog(reader(server, NAME), NAME)));
  const back = performance.now();
  b.server.process.signal('SIGCONT');
  await views.become(['elsewhere-0', 'moves-0', 'stays-0']);
  await until(() => performance.now() - back > SETTLED);
  await views.become(['elsewhere-0', 'moves-0', 'stays-0']);
  for (const { server } of [a, b, c]) {
    const moved = (await presenceOf(reader(server, NAME), NAME)).filter(({ user }) => user === 'moves-0');
    expect(moved.map(({ instance }) => instance)).toEqual(['a']);
  }
  expect(views.leaves.filter((user) => user === 'moves-0')).toEqual([]);
  const seen = (await Promise.all(lists.map((list) => list.stop()))).flat();
  expect(seen.filter((people) => people.includes('leaves-0'))).toEqual([]);

  expect(revoked.provider.isAuthenticated).toBe(false);
  const rows = await expectConvergence(cluster(), [stays, moves, elsewhere]);
  expect(rows.filter(({ actor }) => actor === 'revoked')).toEqual([]);
  const marks = [...sessionOf(elsewhere).document.getMap('marks').keys()];
  expect(marks.sort()).toEqual(['by who moved', 'by who stayed']);
});
