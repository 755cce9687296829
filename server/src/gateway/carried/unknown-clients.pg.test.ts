import { createDatabase, openSession, until, type Session } from '@weft/harness';
import { expect, inject, onTestFinished, test } from 'vitest';
import * as Y from 'yjs';
import { forgeNext } from '../../testing/forged-work.ts';
import { startTestServer, type TestServer } from '../../testing/running-server.ts';

const GRANTS = { plan: 'editor' };

function enter(server: TestServer, sub: string, document = new Y.Doc()): Session {
  const url = `${server.url.replace('http', 'ws')}/collab`;
  const token = server.token({ sub, grants: GRANTS });
  const session = openSession({ url, name: 'plan', token, document });
  onTestFinished(() => session.close());
  return session;
}

/** Bob has written here, and is known; of Carol, who is at another instance, the database knows alone. */
async function begin(options: Readonly<Record<string, string>> = {}) {
  const environment = { DATABASE_URL: await createDatabase(inject('postgresUrl')), ...options };
  const servers = [await startTestServer(environment), await startTestServer(environment)] as const;
  for (const server of servers) onTestFinished(() => server.remove());
  const [here, there] = servers;
  const bob = enter(here, 'bob');
  await bob.opened();
  bob.text.insert(0, 'bob');
  await bob.saved();
  const carol = enter(there, 'carol');
  await carol.opened();
  carol.provider.setAwarenessField('cursor', 1);
  const { pool } = here.services;
  const bound = async () => (await pool.query("SELECT FROM client_bindings WHERE person = 'carol'")).rowCount;
  await until(async () => (await bound()) === 1, { what: 'Carol’s client to be bound, elsewhere' });
  return { here, pool, bob, carol };
}

test('P3.19 whose edits somebody brings together with those of others is asked of the database, too', async () => {
  const { here, pool, bob, carol } = await begin();

  const known = Y.encodeStateAsUpdate(bob.document);
  const document = new Y.Doc();
  for (const client of [bob.document.clientID, carol.document.clientID])
    Y.applyUpdate(document, forgeNext(known, client));
  const mallory = enter(here, 'mallory', document);
  await until(() => mallory.acks.sent.length > 0);
  await mallory.opened();
  // Behind what she sent.
  mallory.provider.setAwarenessField('cursor', 2);
  await until(() => bob.provider.awareness!.getStates().get(document.clientID)?.['cursor'] === 2);
  bob.text.insert(0, 'still ');
  await bob.saved();
  const { rows } = await pool.query<{ actor: string }>('SELECT DISTINCT actor FROM document_updates');
  expect(rows.map(({ actor }) => actor)).toEqual(['bob']);
  expect(bob.text.toJSON()).toBe('still bob');
});

test('P3.19 whose edits are that build on those of others is asked of the database when these are taken', async () => {
  const { here, pool, bob, carol } = await begin({ WEFT_CARRIED_GRACE: '1s' });
  bob.close();
  const document = new Y.Doc();
  Y.applyUpdate(document, forgeNext(Y.encodeStateAsUpdate(bob.document), bob.document.clientID));
  const mallory = enter(here, 'mallory', document);
  await until(() => mallory.acks.sent.length > 0);
  Y.applyUpdate(document, forgeNext(Y.encodeStateAsUpdate(document), carol.document.clientID));
  const rows = async () =>
    (await pool.query<{ kind: string }>('SELECT kind FROM document_updates ORDER BY seq')).rows;
  await until(async () => (await rows()).length === 3, { what: 'all of it to be taken' });
  expect((await rows()).map(({ kind }) => kind)).toEqual(['edit', 'carried', 'carried']);
});
