import { freeze, openSession, redisCommand, runSeed, seededRandom, until } from '@weft/harness';
import { expect, test } from 'vitest';
import * as Y from 'yjs';
import { closing } from '../shared/clean-up.ts';
import { clusterOfFile, type Instance } from './cluster.ts';
import { expectUndisturbed, gather, type Crowd } from './crowd.ts';
import { lasting, redisAway, redisBack } from './faults.ts';
import { LostMessages } from './lost-messages.ts';

const FROZEN = 20_000;
const seed = runSeed();
const cluster = clusterOfFile();

const begin = (name: string): Promise<Crowd> =>
  gather({ cluster: cluster(), name, random: seededRandom(seed) });

/** Every instance knows everybody, once. */
async function expectEverybodyPresent(crowd: Crowd): Promise<void> {
  const name = crowd.groups[0]?.name ?? '';
  const people = crowd.groups.flatMap(({ sessions, prefix }) =>
    sessions.map((_, index) => `${prefix}-${index}`),
  );
  for (const { server } of cluster().instances) {
    const present = async () => {
      const { body } = await server
        .as({ sub: 'owner' })
        .request<{ presence: { user: string }[] }>('GET', `/v1/documents/${name}/presence`);
      return body.presence.map(({ user }) => user);
    };
    await until(async () => (await present()).length === people.length, { what: 'everybody to be entered' });
    expect((await present()).toSorted()).toEqual(people.toSorted());
  }
}

test(`P5.10 Redis hangs for ${FROZEN / 1000} s under 30 writers: they go on and see each other, and nobody is disconnected (seed ${seed})`, async () => {
  const crowd = await begin('frozen');
  const { redis, instances } = cluster();
  const frozen = closing(freeze(redis.process));
  await lasting(FROZEN, async () => {
    await redisAway(instances);
    await crowd.hearEachOther('while Redis hangs');
    await crowd.progress(50);
  });
  frozen.close();
  await redisBack(instances);
  await crowd.hearEachOther('after Redis hung');
  await expectEverybodyPresent(crowd);
  await expectUndisturbed(cluster(), crowd);
});

test(`P5.10 Redis is killed under 30 writers and comes back empty (seed ${seed})`, async () => {
  const crowd = await begin('killed');
  const { redis, instances } = cluster();
  await redis.stop('SIGKILL');
  await redisAway(instances);
  await crowd.hearEachOther('without Redis');
  await crowd.progress(50);
  await redis.start();
  await redisBack(instances);
  await crowd.progress(20);
  await expectEverybodyPresent(crowd);
  await expectUndisturbed(cluster(), crowd);
  expect(crowd.leaves).toEqual([]);
});

test(`P5.10 Redis is flushed under 30 writers (seed ${seed})`, async () => {
  const crowd = await begin('flushed');
  for (let flush = 0; flush < 3; flush++) {
    await crowd.progress(20);
    await redisCommand(cluster().redis.url, 'FLUSHALL');
  }
  await crowd.hearEachOther('after the flush');
  await expectEverybodyPresent(crowd);
  await expectUndisturbed(cluster(), crowd);
  expect(crowd.leaves).toEqual([]);
});

test(`P5.10 messages that are lost without anybody noticing, after which nobody types, are found in the log (seed ${seed})`, async () => {
  const { instances } = cluster();
  const losses = instances.map(({ redis }) => new LostMessages(redis, 'weft:document:'));
  const crowd = await begin('lossy');
  for (const loss of losses) loss.losing = true;
  await crowd.progress(50);
  crowd.pause();
  await expectUndisturbed(cluster(), crowd);
  const lostThen = losses.map(({ lost }) => lost);
  await crowd.hearEachOther('the last word');
  await expectUndisturbed(cluster(), crowd);
  losses.forEach(({ lost }, index) => expect(lost).toBeGreaterThan(lostThen[index] ?? 0));
  for (const loss of losses) loss.losing = false;
  crowd.start();
  await redisBack(instances);
  await expectUndisturbed(cluster(), crowd);
});

test.each(['viewer', 'commenter'])(
  'P8.14 a %s who moves to an instance that lags is not refused for having seen more than it has',
  async (role) => {
    const [first, second] = cluster().instances as [Instance, Instance];
    const loss = new LostMessages(second.redis, 'weft:to:');
    const olga = cluster().as({ sub: 'olga' });
    const name = `ahead-${role}`;
    await olga.createDocument(name);
    await olga.grant(name, 'user:vera', role);
    const token = (sub: string) => cluster().token({ sub });
    const open = ({ server }: Instance, sub: string, document = new Y.Doc()) =>
      openSession({ url: server.wsUrl, name, token: token(sub), document });
    const writer = closing(open(first, 'olga'));
    // Keeps the document open where it lags.
    const there = closing(open(second, 'olga'));
    await Promise.all([writer.saved(), there.saved()]);

    loss.losing = true;
    for (let move = 1; move <= 5; move++) {
      const before = open(first, 'vera');
      await before.opened();
      writer.text.insert(0, `seen before move ${move}. `);
      writer.text.delete(0, 5);
      await writer.saved();
      await until(() => before.text.toJSON() === writer.text.toJSON());
      before.close();

      const after = open(second, 'vera', before.document);
      await until(() => after.isSaved || after.authenticationFailures.length > 0, { what: 'the move' });
      expect(after.authenticationFailures).toEqual([]);
      expect(there.text.toJSON()).toBe(writer.text.toJSON());
      after.close();
    }
    loss.losing = false;
  },
);
