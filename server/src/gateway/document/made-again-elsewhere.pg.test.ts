import { createDatabase, documentOf, openSession, until, updateFrame, type Session } from '@weft/harness';
import { describe, expect, inject, onTestFinished, test } from 'vitest';
import * as Y from 'yjs';
import { startTestServer, type TestServer } from '../../testing/running-server.ts';

const GRANTS = { cloth: 'editor' };

async function startServer(databaseUrl: string): Promise<TestServer> {
  const server = await startTestServer({ DATABASE_URL: databaseUrl });
  onTestFinished(() => server.remove());
  return server;
}

function enter(server: TestServer, person: string, grants: Record<string, string> = {}): Session {
  const url = `${server.url.replace('http', 'ws')}/collab`;
  const session = openSession({ url, name: 'cloth', token: server.token({ sub: person, grants }) });
  onTestFinished(() => session.close());
  return session;
}

function update(text: string): Uint8Array {
  const document = new Y.Doc();
  document.getText('body').insert(0, text);
  return Y.encodeStateAsUpdate(document);
}

/** What is written second, which says nothing to who lacks the first. */
function dependentUpdate(): Uint8Array {
  const document = new Y.Doc();
  document.getText('body').insert(0, 'first');
  const before = Y.encodeStateVector(document);
  document.getText('body').insert(5, ', then');
  return Y.encodeStateAsUpdate(document, before);
}

/** A document that one server has open is deleted and made again by another, of which the first has not heard yet. */
async function madeAgain() {
  const databaseUrl = await createDatabase(inject('postgresUrl'));
  const [here, there] = [await startServer(databaseUrl), await startServer(databaseUrl)];
  const keeper = there.as({ sub: 'keeper' });
  await keeper('PUT', '/v1/documents/cloth', { body: {} });
  const writer = enter(here, 'ada', GRANTS);
  await writer.opened();
  writer.text.insert(0, 'old');
  await writer.saved();
  expect((await keeper('DELETE', '/v1/documents/cloth')).status).toBe(204);
  expect((await keeper('PUT', '/v1/documents/cloth', { body: {} })).status).toBe(201);
  const grant = (person: string, role: string) =>
    keeper('PUT', `/v1/documents/cloth/grants/user:${person}`, { body: { role } });
  await grant('ben', 'editor');
  return { here, writer, grant };
}

/** It has heard what somebody who has the old one open may do in the new one. */
async function madeAgainAndGranted() {
  const { here, writer, grant } = await madeAgain();
  await grant('ada', 'owner');
  const isOver = () => writer.authenticationFailures.length > 0;
  const maySinceManage = () => writer.events.some((event) => event.weft === 'access' && event.manage);
  await until(() => isOver() || maySinceManage());
  return { here, writer };
}

describe.each([
  { heard: 'has heard of neither', prepare: madeAgain },
  { heard: 'has heard of grants on the new one', prepare: madeAgainAndGranted },
])('P2.15 at an instance that $heard', ({ prepare }) => {
  test('P2.15 what is submitted to a document that was made again is of that one', async () => {
    const { here } = await prepare();
    const ben = here.as({ sub: 'ben' });
    expect(await ben('POST', '/v1/documents/cloth/updates', { body: update('new') })).toMatchObject({
      status: 200,
    });
  });

  test('P2.15 who opens a document that was made again sees nothing of the old one', async () => {
    const { here } = await prepare();
    const ben = enter(here, 'ben');
    const seen = new Set<string>();
    ben.document.on('update', () => seen.add(ben.text.toJSON()));
    ben.text.insert(0, 'new');
    await ben.saved();
    expect([...seen]).toEqual(['new']);
  });
});

test('P2.4 P2.15 who has the old one open is told that it is deleted, and brings nothing of it into the new', async () => {
  const { here, writer } = await madeAgain();
  // The log is read for what it lacks.
  writer.socket.provider.send(updateFrame('cloth', dependentUpdate()));
  await until(() => writer.authenticationFailures.length > 0 || writer.closes.length > 0);
  expect(writer.authenticationFailures).toEqual(['document-deleted']);
  const { bytes } = await here.as({ sub: 'ben' })('GET', '/v1/documents/cloth/state');
  expect(documentOf(bytes).getText('body').toJSON()).toBe('');
});
