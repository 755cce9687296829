import { setTimeout as delay } from 'node:timers/promises';
import { createDatabase, openSession, startRedis, until } from '@weft/harness';
import { expect, inject, onTestFinished, test } from 'vitest';
import * as Y from 'yjs';
import { forgeNext } from '../../testing/forged-work.ts';
import { startTestServer, type TestServer } from '../../testing/running-server.ts';

const GRACE = 500;

test('P1.13 P3.19 nobody’s edits are taken from a carrier while they are shown at another instance', async () => {
  const redis = await startRedis();
  onTestFinished(() => redis.remove());
  const environment = {
    DATABASE_URL: await createDatabase(inject('postgresUrl')),
    REDIS_URL: redis.url,
    WEFT_CARRIED_GRACE: `${GRACE}ms`,
  };
  const start = async () => {
    const server = await startTestServer(environment);
    onTestFinished(() => server.remove());
    return server;
  };
  const [here, there] = [await start(), await start()];
  const enter = (server: TestServer, sub: string, document = new Y.Doc()) => {
    const url = `${server.url.replace('http', 'ws')}/collab`;
    const token = server.token({ sub, grants: { plan: 'editor' } });
    const session = openSession({ url, name: 'plan', token, document });
    onTestFinished(() => session.close());
    return session;
  };
  const bob = enter(here, 'bob');
  await bob.opened();
  const carol = enter(there, 'carol');
  await carol.opened();
  carol.text.insert(0, 'carol');
  await carol.saved();
  carol.provider.setAwarenessField('cursor', 1);
  const isShown = () => bob.provider.awareness!.getStates().has(carol.document.clientID);
  await until(() => isShown() && bob.text.toJSON() === 'carol');

  const document = new Y.Doc();
  Y.applyUpdate(document, forgeNext(Y.encodeStateAsUpdate(bob.document), carol.document.clientID));
  const mallory = enter(here, 'mallory', document);
  await mallory.opened();
  // What must not happen has several times the grace, and some of the looks that come every second, to happen in.
  await delay(5 * GRACE);
  expect(bob.text.toJSON()).toBe('carol');

  carol.text.insert(5, ' herself');
  await carol.saved();
  await until(() => bob.text.toJSON() === 'carol herself');
  const { rows } = await here.services.pool.query<{ actor: string }>(
    'SELECT DISTINCT actor FROM document_updates',
  );
  expect(rows.map(({ actor }) => actor)).toEqual(['carol']);
});
