import { createDatabase, openSession, type Session } from '@weft/harness';
import { expect, inject, onTestFinished, test } from 'vitest';
import * as Y from 'yjs';
import { startTestServer, type TestServer } from '../../testing/running-server.ts';

async function startServer(databaseUrl: string): Promise<TestServer> {
  const server = await startTestServer({ DATABASE_URL: databaseUrl });
  onTestFinished(() => server.remove());
  return server;
}

function enter(server: TestServer, person: string): Session {
  const url = `${server.url.replace('http', 'ws')}/collab`;
  const session = openSession({ url, name: 'cloth', token: server.token({ sub: person }) });
  onTestFinished(() => session.close());
  return session;
}

function update(text: string): Uint8Array {
  const document = new Y.Doc();
  document.getText('body').insert(0, text);
  return Y.encodeStateAsUpdate(document);
}

/** A document that one server has open is deleted and made again by another, of which the first has not heard yet. */
async function madeAgain() {
  const databaseUrl = await createDatabase(inject('postgresUrl'));
  const [here, there] = [await startServer(databaseUrl), await startServer(databaseUrl)];
  const ada = there.as({ sub: 'ada' });
  await ada('PUT', '/v1/documents/cloth', { body: {} });
  const writer = enter(here, 'ada');
  await writer.opened();
  writer.text.insert(0, 'old');
  await writer.saved();
  expect((await ada('DELETE', '/v1/documents/cloth')).status).toBe(204);
  expect((await ada('PUT', '/v1/documents/cloth', { body: {} })).status).toBe(201);
  await ada('PUT', '/v1/documents/cloth/grants/user:ben', { body: { role: 'editor' } });
  return { here };
}

test('P2.15 what is submitted to a document that was made again is of that one, at whatever instance', async () => {
  const { here } = await madeAgain();
  const answer = await here.as({ sub: 'ben' })('POST', '/v1/documents/cloth/updates', {
    body: update('new'),
  });
  expect(answer).toMatchObject({ status: 200 });
});

test('P2.15 who opens a document that was made again sees nothing of the old one, at whatever instance', async () => {
  const { here } = await madeAgain();
  const ben = enter(here, 'ben');
  const seen = new Set<string>();
  ben.document.on('update', () => seen.add(ben.text.toJSON()));
  ben.text.insert(0, 'new');
  await ben.saved();
  expect([...seen]).toEqual(['new']);
});
