import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import { createDatabase, lockAwaited, openSession, type Session, until } from '@weft/harness';
import pg from 'pg';
import { expect, inject, onTestFinished, test } from 'vitest';
import * as Y from 'yjs';
import { startTestServer, type TestServer } from '../../testing/running-server.ts';

/** Milliseconds for which a right holds that the endpoint gives. */
const LIFETIME = 2_000;

/** An integrator's endpoint, and a server that asks it. */
async function begin(environment: Record<string, string> = {}) {
  const endpoint = {
    /** Of the last right that it gave, milliseconds since 1970. */
    expiresAt: 0,
    role: 'editor' as string | null,
    held: undefined as ServerResponse[] | undefined,
    answer(response: ServerResponse) {
      endpoint.expiresAt = Date.now() + LIFETIME;
      response.end(JSON.stringify({ role: endpoint.role, expiresAt: endpoint.expiresAt }));
    },
    hang: () => (endpoint.held = []),
    /** Answers what waits, and from then on everything. */
    recover() {
      const { held = [] } = endpoint;
      endpoint.held = undefined;
      held.forEach((response) => endpoint.answer(response));
    },
  };
  const receive = async (request: IncomingMessage, response: ServerResponse) => {
    const { user } = (await json(request)) as { user: string };
    if (user !== 'anna') response.end('{"role":null}');
    else if (endpoint.held) endpoint.held.push(response);
    else endpoint.answer(response);
  };
  const http = createServer((request, response) => void receive(request, response));
  onTestFinished(() => {
    http.closeAllConnections();
    http.close();
  });
  await new Promise<void>((listening) => http.listen(0, '127.0.0.1', listening));
  const { port } = http.address() as AddressInfo;
  const server = await startTestServer({
    DATABASE_URL: await createDatabase(inject('postgresUrl')),
    WEFT_PERMISSION_URL: `http://127.0.0.1:${port}/may`,
    WEFT_PERMISSION_SECRET: 'shared with the endpoint, 32 bytes.',
    ...environment,
  });
  onTestFinished(() => server.remove());
  await server.as({ sub: 'olga' })('PUT', '/v1/documents/plan', { body: {} });
  return { endpoint, server };
}

async function openAnna(server: TestServer): Promise<Session> {
  const anna = openSession({
    url: `${server.url.replace('http', 'ws')}/collab`,
    name: 'plan',
    token: () => server.token({ sub: 'anna' }),
  });
  onTestFinished(() => anna.close());
  await anna.opened();
  return anna;
}

/** What everybody may know of the document. */
async function textOf(server: TestServer): Promise<string> {
  const { bytes } = await server.as({ sub: 'olga' })('GET', '/v1/documents/plan/state');
  const doc = new Y.Doc();
  Y.applyUpdate(doc, bytes);
  return doc.getText('body').toJSON();
}

/** The endpoint hangs, the right that it gave has ended, and Anna has typed since. */
async function typeAfterTheEnd({ endpoint, server }: Awaited<ReturnType<typeof begin>>): Promise<Session> {
  const anna = await openAnna(server);
  anna.text.insert(0, 'before ');
  await anna.saved();
  endpoint.hang();
  const end = endpoint.expiresAt;
  await until(() => Date.now() > end, { what: 'the right to end' });
  anna.text.insert(anna.text.length, 'after');
  // Whoever is asked for it later has what the server made of it.
  await textOf(server);
  await until(() => (endpoint.held?.length ?? 0) > 0, { what: 'the endpoint to be asked' });
  return anna;
}

test('P4.15 a right that has ended writes nothing while its endpoint hangs, nor when it says no', async () => {
  const { endpoint, server } = await begin();
  const anna = await typeAfterTheEnd({ endpoint, server });
  expect(await textOf(server)).toBe('before ');
  endpoint.role = null;
  endpoint.recover();
  await until(() => anna.closes.length > 0, { what: 'Anna to be sent away' });
  expect(await textOf(server)).toBe('before ');
});

test('P4.15 what was typed while the question was open is saved when the answer is yes', async () => {
  const { endpoint, server } = await begin();
  const anna = await typeAfterTheEnd({ endpoint, server });
  endpoint.recover();
  await anna.saved();
  expect(await textOf(server)).toBe('before after');
  expect(anna.closes).toEqual([]);
});

test('P4.15 who cannot be answered about is sent away, comes back, and has lost nothing', async () => {
  const { endpoint, server } = await begin({ WEFT_PERMISSION_TIMEOUT: '1s' });
  const anna = await typeAfterTheEnd({ endpoint, server });
  await until(() => anna.closes.length > 0, { what: 'the connection to be closed' });
  expect(await textOf(server)).toBe('before ');
  endpoint.recover();
  await anna.saved();
  expect(await textOf(server)).toBe('before after');
});

test('P4.15 what came before the end, and waited for something else until after it, is asked about too', async () => {
  const DATABASE_URL = await createDatabase(inject('postgresUrl'));
  const { endpoint, server } = await begin({ DATABASE_URL });
  const database = new pg.Client({ connectionString: DATABASE_URL });
  await database.connect();
  onTestFinished(() => database.end());
  const anna = await openAnna(server);
  const end = endpoint.expiresAt;
  endpoint.hang();
  // Whose Yjs client it is has to be written down first, which takes as long as this lasts.
  await database.query('BEGIN; LOCK TABLE client_bindings IN EXCLUSIVE MODE');
  anna.document.clientID = 77;
  anna.text.insert(0, 'late');
  await lockAwaited(database);
  await until(() => Date.now() > end && (endpoint.held?.length ?? 0) > 0, { what: 'the right to end' });
  await database.query('COMMIT');
  const bound = 'SELECT FROM client_bindings WHERE client_id = 77';
  await until(async () => (await database.query(bound)).rowCount === 1, { what: 'the client to be bound' });
  for (let look = 0; look < 3; look++) expect(await textOf(server)).toBe('');
  endpoint.role = null;
  endpoint.recover();
  await until(() => anna.closes.length > 0, { what: 'Anna to be sent away' });
  expect(await textOf(server)).toBe('');
});
