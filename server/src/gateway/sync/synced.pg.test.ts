import { createDatabase, openSession, until, type Session } from '@weft/harness';
import { beforeAll, expect, inject, onTestFinished, test } from 'vitest';
import { startTestServer, type TestServer } from '../../testing/running-server.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer({ DATABASE_URL: await createDatabase(inject('postgresUrl')) });
  return () => server.remove();
});

function join(name: string, user: string): Session {
  const session = openSession({
    url: `${server.url.replace('http', 'ws')}/collab`,
    name,
    token: server.token({ sub: user, grants: { [name]: 'owner' } }),
  });
  onTestFinished(() => session.close());
  return session;
}

/** What there is to see for an application that waits for `synced`, to fill an empty document for example. */
function textWhenSynced({ provider, text }: Session): Promise<string> {
  return new Promise((resolve) => {
    provider.on('synced', () => resolve(text.toJSON()));
  });
}

test('P9.19 a newcomer is synced when everything is there, also what was written since the state was encoded', async () => {
  const ada = join('since', 'ada');
  await ada.saved();
  for (const word of ['what ', 'was ', 'written']) {
    ada.text.insert(ada.text.length, word);
    await ada.saved();
  }
  const bob = join('since', 'bob');
  expect(await textWhenSynced(bob)).toBe('what was written');
});

test('P9.20 a newcomer who is synced knows who else is there, and that nobody is when there is nobody', async () => {
  const ada = join('company', 'ada');
  expect(await othersWhenSynced(ada)).toEqual([]);
  const eve = join('company', 'eve');
  await until(() => shown(ada).length === 1 && shown(eve).length === 1);
  const bob = join('company', 'bob');
  const here = [ada, eve].map(({ document }) => document.clientID);
  expect((await othersWhenSynced(bob)).toSorted()).toEqual(here.toSorted());
});

/** The Yjs clients of the others. */
function shown({ provider, document }: Session): readonly number[] {
  return [...(provider.awareness?.states.keys() ?? [])].filter((client) => client !== document.clientID);
}

function othersWhenSynced(session: Session): Promise<readonly number[]> {
  return new Promise((resolve) => {
    session.provider.on('synced', () => resolve(shown(session)));
  });
}
