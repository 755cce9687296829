import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { TokenRequest } from '@weft/auth-jwt';
import { createDatabase, openSession, until, type Session } from '@weft/harness';
import { describe, expect, inject, onTestFinished, test } from 'vitest';
import * as Y from 'yjs';
import { startTestServer, type TestServer } from '../../testing/running-server.ts';

const AUTHOR = { read: true, presence: true, write: '*', manage: false };

async function endpointThatSays(role: string | null): Promise<Record<string, string>> {
  const http = createServer((_, response) => response.end(JSON.stringify({ role })));
  onTestFinished(() => void http.close());
  await new Promise<void>((listening) => http.listen(0, '127.0.0.1', listening));
  const { port } = http.address() as AddressInfo;
  return {
    WEFT_PERMISSION_URL: `http://127.0.0.1:${port}/may`,
    WEFT_PERMISSION_SECRET: 'shared with the endpoint, 32 bytes.',
    WEFT_PERMISSION_TTL: '1m',
  };
}

interface Place {
  /** Where roles are defined, and where Anna types. */
  readonly here: TestServer;
  readonly there: TestServer;
  readonly anna: TokenRequest;
  define(write: '*' | string[]): Promise<void>;
  remove(): Promise<void>;
}

/** Two instances; Anna has the role `author` of her tenant by nothing but what `by` says. */
async function begin(by: 'token' | 'endpoint'): Promise<Place> {
  const environment = {
    DATABASE_URL: await createDatabase(inject('postgresUrl')),
    ...(by === 'endpoint' && (await endpointThatSays('author'))),
  };
  const here = await startTestServer(environment);
  onTestFinished(() => here.remove());
  const there = await startTestServer(environment);
  onTestFinished(() => there.remove());
  const admin = here.as({ sub: 'ops', scope: 'admin' });
  const place: Place = {
    here,
    there,
    anna: { sub: 'anna', ...(by === 'token' && { grants: { 'p*': 'author' } }) },
    async define(write) {
      expect(await admin('PUT', '/v1/roles/author', { body: { ...AUTHOR, write } })).toMatchObject({
        status: 200,
      });
    },
    async remove() {
      expect(await admin('DELETE', '/v1/roles/author')).toMatchObject({ status: 204 });
    },
  };
  await place.define('*');
  expect(await here.as({ sub: 'olga' })('PUT', '/v1/documents/plan', { body: {} })).toMatchObject({
    status: 201,
  });
  return place;
}

async function typing({ there, anna }: Place): Promise<Session> {
  const session = openSession({
    url: `${there.url.replace('http', 'ws')}/collab`,
    name: 'plan',
    token: there.token(anna),
  });
  onTestFinished(() => session.close());
  await session.opened();
  const timer = setInterval(() => session.text.insert(session.text.length, 'a'), 5);
  onTestFinished(() => clearInterval(timer));
  await until(() => session.acks.acknowledged.length > 20, { what: 'Anna to be saved' });
  return session;
}

/** The permission revision in force, which the newest change has made. */
async function revision({ here }: Place): Promise<number> {
  const { rows } = await here.services.pool.query<{ rev: string }>(
    "SELECT policy_rev AS rev FROM documents WHERE name = 'plan'",
  );
  return Number(rows[0]?.rev);
}

async function annasRows({ here }: Place, since: number): Promise<number> {
  const { rows } = await here.services.pool.query<{ count: string }>(
    "SELECT count(*) FROM document_updates WHERE actor = 'anna' AND policy_rev >= $1",
    [since],
  );
  return Number(rows[0]?.count);
}

function update(text: string): Uint8Array {
  const doc = new Y.Doc();
  doc.getText('body').insert(0, text);
  return Y.encodeStateAsUpdate(doc);
}

const isReadOnly = ({ events }: Session) =>
  events.some((event) => event.weft === 'access' && event.writable.length === 0);
/** For good; or, where the endpoint's answer is none any more, for as long as it is. */
const isOver = ({ events, closes }: Session) =>
  events.some((event) => event.weft === 'closed') ||
  closes.some(({ reason }) => reason === 'permissions-unavailable');

describe.each(['token', 'endpoint'] as const)("P4.13 a tenant's own role by %s", (by) => {
  test('P4.13 made read-only while the person types on another instance: no row since, and the right is gone within a second', async () => {
    const place = await begin(by);
    const session = await typing(place);
    await place.define([]);
    const changedAt = performance.now();
    const since = await revision(place);
    await until(() => isReadOnly(session) || isOver(session), { interval: 5, what: 'Anna to be told' });
    expect(performance.now() - changedAt).toBeLessThan(1_000);
    const typed = session.text.length;
    await until(() => isOver(session) || session.text.length !== typed, { what: 'her to go on typing' });

    const asAnna = place.there.as(place.anna);
    const refused = await asAnna('POST', '/v1/documents/plan/updates', { body: update('too late') });
    expect(refused).toMatchObject({ code: 'write-forbidden' });
    expect((await asAnna('GET', '/v1/documents/plan')).body).toMatchObject({ role: 'author' });
    expect(await annasRows(place, since)).toBe(0);
    expect(await annasRows(place, 0)).toBeGreaterThan(0);
  });

  test('P4.13 removed while the person types on another instance: no row since, and the session ends within a second', async () => {
    const place = await begin(by);
    const session = await typing(place);
    await place.remove();
    const removedAt = performance.now();
    const since = await revision(place);
    await until(() => isOver(session), { interval: 5, what: 'the end of the session' });
    expect(performance.now() - removedAt).toBeLessThan(1_000);
    const refused = await place.there.as(place.anna)('GET', '/v1/documents/plan');
    expect(refused.code).toBe(by === 'token' ? 'document-not-found' : 'permissions-unavailable');
    expect(await annasRows(place, since)).toBe(0);
  });

  test('P3.12 decides over REST, and over no other root type than it lists', async () => {
    const place = await begin(by);
    const post = (body: Uint8Array) =>
      place.there.as(place.anna)('POST', '/v1/documents/plan/updates', { body });
    expect((await post(update('taken'))).status).toBeLessThan(300);
    await place.define(['comments']);
    expect(await post(update('refused'))).toMatchObject({ code: 'root-forbidden' });
  });
});

test("P3.29 a document is made by opening it with a built-in role of the token, not with a tenant's own", async () => {
  const { there, anna } = await begin('token');
  const session = openSession({
    url: `${there.url.replace('http', 'ws')}/collab`,
    name: 'plan of nobody',
    token: there.token(anna),
  });
  onTestFinished(() => session.close());
  await until(() => session.authenticationFailures.length > 0, { what: 'the refusal' });
  expect(session.authenticationFailures[0]).toBe('document-not-found');
});

test("P3.29 what a tenant's own role in the token gives is in the list of documents", async () => {
  const { there, anna, remove } = await begin('token');
  const list = async () => (await there.as(anna)('GET', '/v1/documents')).body;
  expect(await list()).toMatchObject({ documents: [{ name: 'plan', role: 'author' }] });
  await remove();
  expect(await list()).toMatchObject({ documents: [] });
});
