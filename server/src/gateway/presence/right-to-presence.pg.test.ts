import { createDatabase, openSession, until, type Session } from '@weft/harness';
import { expect, inject, onTestFinished, test } from 'vitest';
import { startTestServer, type TestServer } from '../../testing/running-server.ts';

const LISTENER = { read: true, presence: false, write: [], manage: false };

function enter(server: TestServer, sub: string): Session {
  const session = openSession({
    url: `${server.url.replace('http', 'ws')}/collab`,
    name: 'plan',
    token: server.token({ sub }),
    user: { name: sub },
  });
  onTestFinished(() => session.close());
  return session;
}

/** Whom somebody sees in their editor, by the ids that the server stamps. */
function seenBy({ provider }: Session): unknown[] {
  const states = [...(provider.awareness?.getStates().values() ?? [])];
  return states.map((state) => (state['user'] as { id?: string } | undefined)?.id).filter(Boolean);
}

test('P6.15 who may no longer show presence is gone from lists and screens, still sees the others, and is back with the right', async () => {
  const server = await startTestServer({ DATABASE_URL: await createDatabase(inject('postgresUrl')) });
  onTestFinished(() => server.remove());
  const admin = server.as({ sub: 'admin', scope: 'admin' });
  const ada = server.as({ sub: 'ada' });
  const allowBen = (role: string) => ada('PUT', '/v1/documents/plan/grants/user:ben', { body: { role } });
  const listed = async () => {
    const { body } = await ada('GET', '/v1/documents/plan/presence');
    return (body as { presence: { user: string }[] }).presence.map(({ user }) => user).toSorted();
  };
  await ada('PUT', '/v1/documents/plan', { body: {} });
  expect((await admin('PUT', '/v1/roles/listener', { body: LISTENER })).status).toBe(200);
  await allowBen('editor');
  const sessions = { ada: enter(server, 'ada'), ben: enter(server, 'ben') };
  await until(() => seenBy(sessions.ada).includes('ben'), { what: 'Ben to be seen' });
  expect(await listed()).toEqual(['ada', 'ben']);

  await allowBen('listener');
  await until(() => !seenBy(sessions.ada).includes('ben'), { what: 'Ben to be gone' });
  expect(await listed()).toEqual(['ada']);
  sessions.ben.provider.setAwarenessField('cursor', 1);
  sessions.ada.provider.setAwarenessField('cursor', 2);
  const cursors = () =>
    [...sessions.ben.provider.awareness!.getStates().values()].map(({ cursor }) => cursor as number);
  await until(() => cursors().includes(2), { what: 'Ben to see Ada move' });
  expect(seenBy(sessions.ada)).not.toContain('ben');
  const newcomer = enter(server, 'ben');
  await until(() => seenBy(newcomer).includes('ada'), { what: 'somebody who may not be seen to see' });

  await allowBen('viewer');
  await until(async () => (await listed()).includes('ben'), { what: 'Ben to be listed again' });
  sessions.ben.provider.setAwarenessField('cursor', 3);
  await until(() => seenBy(sessions.ada).includes('ben'), { what: 'Ben to be seen again' });
});
