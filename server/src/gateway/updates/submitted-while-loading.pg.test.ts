import { createDatabase, openSession, until } from '@weft/harness';
import { afterAll, beforeAll, expect, inject, onTestFinished, test } from 'vitest';
import * as Y from 'yjs';
import { startTestServer, type TestServer } from '../../testing/running-server.ts';

const reached = Promise.withResolvers<void>();
const letGo = Promise.withResolvers<void>();
let server: TestServer;

beforeAll(async () => {
  const slowToLoad = {
    afterLoadDocument: () => {
      reached.resolve();
      return letGo.promise;
    },
  };
  const database = await createDatabase(inject('postgresUrl'));
  server = await startTestServer({ DATABASE_URL: database }, { extensions: [slowToLoad] });
});
afterAll(() => server.remove());

function hello(): Uint8Array {
  const doc = new Y.Doc();
  doc.getText('body').insert(0, 'hello');
  return Y.encodeStateAsUpdate(doc);
}

test('P1.1 what is submitted while extensions still load the document is logged and shown', async () => {
  const person = { sub: 'ada', grants: { plan: 'owner' } };
  const ask = server.as(person);
  const url = `${server.url.replace('http', 'ws')}/collab`;
  const session = openSession({ url, name: 'plan', token: server.token(person) });
  onTestFinished(() => session.close());
  await reached.promise;
  const submitted = ask('POST', '/v1/documents/plan/updates', { body: hello() });
  // What does not wait for the document is answered long before all of these.
  const askOthers = async () => {
    for (let asked = 0; asked < 20; asked++) await ask('GET', '/v1/documents/plan/updates');
  };
  await Promise.race([submitted, askOthers()]);
  letGo.resolve();
  expect(await submitted).toMatchObject({ status: 200 });
  expect((await ask('GET', '/v1/documents/plan/updates')).body).toMatchObject({ rows: [{ seq: 1 }] });
  await until(() => session.text.toJSON() === 'hello');
});
