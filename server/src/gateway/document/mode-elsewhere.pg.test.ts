import { createDatabase, openSession, until } from '@weft/harness';
import { expect, inject, onTestFinished, test } from 'vitest';
import { startTestServer, type TestServer } from '../../testing/running-server.ts';

async function startServer(databaseUrl: string): Promise<TestServer> {
  const server = await startTestServer({ DATABASE_URL: databaseUrl });
  onTestFinished(() => server.remove());
  return server;
}

test('P2.16 a document that is open has the mode that another instance gives it, and nothing is lost', async () => {
  const databaseUrl = await createDatabase(inject('postgresUrl'));
  const [here, there] = [await startServer(databaseUrl), await startServer(databaseUrl)];
  const keeper = there.as({ sub: 'keeper' });
  await keeper('PUT', '/v1/documents/cloth', { body: { mode: 'live' } });
  const ada = openSession({
    url: `${here.url.replace('http', 'ws')}/collab`,
    name: 'cloth',
    token: here.token({ sub: 'ada', grants: { cloth: 'editor' } }),
  });
  onTestFinished(() => ada.close());
  await ada.opened();
  ada.text.insert(0, 'before');
  await ada.saved();

  const changed = await keeper('PATCH', '/v1/documents/cloth', { body: { mode: 'strict' } });
  expect(changed.status).toBe(200);
  await until(() => ada.closes.length > 0, { what: 'being sent away, to come back to a strict document' });
  ada.text.insert(6, ' and after');
  await ada.saved();
  expect(ada.closes.map(({ reason }) => reason)).toEqual(['document-reload']);
  expect(ada.text.toJSON()).toBe('before and after');
});
