import {
  createDatabase,
  jumpingClock,
  openSession,
  startWeft,
  until,
  type Session,
  type WeftServer,
} from '@weft/harness';
import { expect, inject, test } from 'vitest';
import { closing } from '../shared/clean-up.ts';

const HOUR = 3_600_000;

/** Somebody who stays for longer than a clock is wrong. */
function join(server: WeftServer, sub: string, expiresIn = 36_000): Session {
  const token = server.token({ sub, name: sub, expiresIn });
  return closing(openSession({ url: server.wsUrl, name: 'page', token }));
}

test('P6.16 an instance whose time of day jumps by an hour, forward and back, keeps showing everybody, here and there', async () => {
  const databaseUrl = await createDatabase(inject('postgresUrl'));
  const clock = closing(jumpingClock());
  const env = { WEFT_REDIS_PREFIX: 'clock-jumps:' };
  const shared = { databaseUrl, redisUrl: inject('redisUrl') };
  const a = closing(await startWeft({ ...shared, env: { ...env, ...clock.env } }));
  const b = closing(await startWeft({ ...shared, env }));
  const ada = a.as({ sub: 'ada', expiresIn: 36_000 });
  await ada.createDocument('page');
  await ada.grant('page', 'tenant:*', 'editor');
  const people = [join(a, 'ada'), join(a, 'carol'), join(b, 'ben'), join(b, 'ada')];
  await Promise.all(people.map((person) => person.opened()));
  const removed: number[] = [];
  for (const { provider, document } of people)
    provider.awareness?.on('change', (change: { removed: number[] }) =>
      removed.push(...change.removed.filter((client) => client !== document.clientID)),
    );
  let moves = 0;
  const allMove = async () => {
    moves++;
    for (const { text, provider } of people) {
      text.insert(0, '.');
      provider.setAwarenessField('cursor', moves);
    }
    const seen = (on: Session, of: Session) =>
      on.provider.awareness?.getStates().get(of.document.clientID)?.['cursor'] === moves;
    await until(() => people.every((on) => people.every((of) => seen(on, of))), {
      what: `move ${moves} to be seen`,
    });
    await until(() => people.every(({ text }) => text.length === moves * people.length));
    await Promise.all(people.map((person) => person.saved()));
  };
  await allMove();

  // Whose token ends within the hour shows that every person and every document has been looked at.
  const shortly = join(a, 'guest', 1_800);
  await shortly.opened();
  clock.set(HOUR);
  await until(() => shortly.authenticationFailures.includes('token-expired'), {
    what: 'the clock to have jumped',
  });
  const guests = new Set([shortly.document.clientID]);
  await allMove();

  clock.set(-HOUR);
  const today = () => a.as({ sub: 'ada' }).request('GET', '/v1/documents');
  await until(async () => (await today()).status === 401, { what: 'the clock to have jumped back' });
  await allMove();

  clock.set(0);
  await until(async () => (await today()).status === 200, { what: 'the clock to be right' });
  await allMove();
  expect(removed.filter((client) => !guests.has(client))).toEqual([]);
  for (const { closes } of people) expect(closes).toEqual([]);
});
