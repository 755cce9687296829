import { createDatabase, openSession, type Session } from '@weft/harness';
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
  ada.provider.setAwarenessField('cursor', 1);
  const bob = join('company', 'bob');
  expect(await othersWhenSynced(bob)).toEqual([ada.document.clientID]);
});

function othersWhenSynced({ provider, document }: Session): Promise<readonly number[]> {
  return new Promise((resolve) => {
    provider.on('synced', () => {
      const shown = [...(provider.awareness?.states.keys() ?? [])];
      resolve(shown.filter((client) => client !== document.clientID));
    });
  });
}
