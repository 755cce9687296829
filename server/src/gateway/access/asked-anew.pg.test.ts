import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createDatabase, openSession, type Session, until } from '@weft/harness';
import { expect, inject, onTestFinished, test } from 'vitest';
import * as Y from 'yjs';
import { startTestServer, type TestServer } from '../../testing/running-server.ts';

/** An integrator's endpoint, and a server that asks it. */
async function begin(environment: Record<string, string> = {}) {
  const endpoint = {
    role: 'editor' as string | null,
    held: undefined as ServerResponse[] | undefined,
    /** Answers still to fail. */
    failing: 0,
    answered: 0,
    answer: (response: ServerResponse, role: string | null) => response.end(JSON.stringify({ role })),
  };
  const http = createServer((_, response) => {
    if (endpoint.held) endpoint.held.push(response);
    else if (endpoint.failing > 0) {
      endpoint.failing -= 1;
      response.writeHead(500).end();
    } else {
      endpoint.answered += 1;
      endpoint.answer(response, endpoint.role);
    }
  });
  onTestFinished(() => void http.close());
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

async function announceChange(server: TestServer): Promise<void> {
  const integrator = server.as({ sub: 'integrator', scope: 'admin' });
  const { status } = await integrator('POST', '/v1/permission-changes', { body: { pattern: 'plan' } });
  expect(status).toBe(204);
}

test('P4.8 what an endpoint said before a change counts no more where nobody has the document open, either', async () => {
  const { endpoint, server } = await begin();
  const anna = server.as({ sub: 'anna' });
  expect((await anna('GET', '/v1/documents/plan')).body).toMatchObject({ role: 'editor' });
  endpoint.role = null;
  await announceChange(server);
  const doc = new Y.Doc();
  doc.getText('body').insert(0, 'too late');
  const update = Y.encodeStateAsUpdate(doc);
  expect((await anna('POST', '/v1/documents/plan/updates', { body: update })).status).toBe(404);
});

test('P3.26 P4.8 what an endpoint said of a document is nothing that it said of the next one of that name', async () => {
  const { endpoint, server } = await begin();
  const [olga, anna] = [server.as({ sub: 'olga' }), server.as({ sub: 'anna' })];
  expect((await anna('GET', '/v1/documents/plan')).body).toMatchObject({ role: 'editor' });
  endpoint.role = null;
  expect((await olga('DELETE', '/v1/documents/plan')).status).toBe(204);
  // There is no document whose revision it could raise.
  await announceChange(server);
  expect((await olga('PUT', '/v1/documents/plan', { body: {} })).status).toBe(201);
  expect((await anna('GET', '/v1/documents/plan')).status).toBe(404);
});

test('P4.2 an answer of before a change that comes after it gives nothing back', async () => {
  const { endpoint, server } = await begin({ WEFT_PERMISSION_TTL: '0s' });
  const anna = await openAnna(server);
  const writable = () => anna.events.findLast((event) => event.weft === 'access')?.writable;
  expect(writable()).toBe('*');

  const held = (endpoint.held = []);
  await anna.provider.sendToken();
  await until(() => held.length > 0, { what: 'the renewed token to be asked about' });
  endpoint.held = undefined;
  endpoint.role = 'viewer';
  await announceChange(server);
  await until(() => Array.isArray(writable()), { what: 'the right to write to be gone' });
  const told = anna.events.length;
  held.forEach((response) => endpoint.answer(response, 'editor'));
  endpoint.role = 'commenter';
  await announceChange(server);
  await until(() => String(writable()) === 'comments', { what: 'the next change' });
  expect(
    anna.events.slice(told).filter((event) => event.weft === 'access' && event.writable === '*'),
  ).toEqual([]);
});

test('P4.5 an endpoint that fails for a moment sends nobody away', async () => {
  const { endpoint, server } = await begin({ WEFT_PERMISSION_TTL: '1s' });
  const anna = await openAnna(server);
  endpoint.failing = 2;
  await until(() => endpoint.failing === 0, { what: 'two answers to fail' });
  const { answered } = endpoint;
  await until(() => endpoint.answered > answered, { what: 'the next answer' });
  anna.text.insert(0, 'still here');
  await anna.saved();
  expect(anna.closes).toEqual([]);
});
