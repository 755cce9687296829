import { connect } from 'node:net';
import { signToken } from '@weft/auth-jwt';
import { documentKey } from '@weft/common';
import { createDatabase, openSession, until } from '@weft/harness';
import { afterAll, beforeAll, describe, expect, inject, onTestFinished, test } from 'vitest';
import * as Y from 'yjs';
import {
  SECRET,
  startTestServer,
  type Answer,
  type Ask,
  type TestServer,
} from '../testing/running-server.ts';

/** An origin whose pages may ask. */
const PAGES = 'https://app.example';

let server: TestServer;
let alice: Ask;
let bob: Ask;
let admin: Ask;
let stranger: Ask;
let made = 0;

beforeAll(async () => {
  server = await startTestServer({
    DATABASE_URL: await createDatabase(inject('postgresUrl')),
    WEFT_ALLOWED_ORIGINS: PAGES,
  });
  alice = server.as({ sub: 'alice', name: 'Alice' });
  bob = server.as({ sub: 'bob', groups: ['staff'] });
  admin = server.as({ sub: 'ops', scope: 'admin' });
  stranger = server.as({ sub: 'alice', tenant: 'elsewhere', scope: 'admin' });
});

afterAll(() => server.remove());

const pathOf = (name: string) => `/v1/documents/${encodeURIComponent(name)}`;

/** A document of Alice's; its path. */
async function madeByAlice(body: object = {}): Promise<{ name: string; path: string }> {
  const name = `folder/document ${++made}`;
  expect(await alice('PUT', pathOf(name), { body })).toMatchObject({ status: 201 });
  return { name, path: pathOf(name) };
}

function typed(text: string): Uint8Array {
  const document = new Y.Doc();
  document.getText('text').insert(0, text);
  return Y.encodeStateAsUpdate(document);
}

/** To bytes as they are: what there is of an answer when its JSON has ended. */
function answerTo(request: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port: server.port }, () => socket.write(request));
    let answer = '';
    socket.setEncoding('utf8').on('data', (text: string) => {
      answer += text;
      if (answer.endsWith('}')) socket.destroy();
    });
    socket.on('error', reject).on('close', () => resolve(answer));
  });
}

describe('documents', () => {
  test('P3.26 whoever creates a document owns it', async () => {
    const { name, path } = await madeByAlice({ title: 'Plans', mode: 'strict' });
    expect(await alice('GET', path)).toMatchObject({
      status: 200,
      body: { name, title: 'Plans', role: 'owner', mode: 'strict', createdBy: 'alice' },
    });
    expect((await alice('GET', `${path}/grants`)).body).toMatchObject({
      grants: [{ subject: 'user:alice', role: 'owner', expiresAt: null }],
    });
  });

  test('P3.36 a new name is in Unicode form NFC; a document that has another keeps it', async () => {
    const [composed, decomposed] = ['caf\u00e9', 'cafe\u0301'];
    expect(await alice('PUT', pathOf(decomposed))).toMatchObject({ status: 400, code: 'name-invalid' });
    expect(await alice('GET', pathOf(decomposed))).toMatchObject({ status: 404 });
    expect(await alice('PUT', pathOf(composed))).toMatchObject({ status: 201 });

    const older = 're\u0301sume\u0301';
    const { documents, pool } = server.services;
    await documents.create(pool, { key: documentKey('default', older), createdBy: 'ada' });
    const ada = server.as({ sub: 'ada', grants: { [older]: 'owner' } });
    expect(await ada('GET', pathOf(older))).toMatchObject({ status: 200, body: { name: older } });
    expect(await ada('PUT', pathOf(older))).toMatchObject({ code: 'document-exists' });

    const opened = (name: string) => {
      const token = server.token({ sub: 'ada', grants: { '*': 'owner' } });
      const url = `${server.url.replace('http', 'ws')}/collab`;
      const session = openSession({ url, name, token });
      onTestFinished(() => session.close());
      return session;
    };
    await opened(older).saved();
    const refused = opened('nai\u0308ve');
    await until(() => refused.authenticationFailures.length > 0);
    expect(refused.authenticationFailures).toEqual(['name-invalid']);
  });

  test('P3.26 a document needs no body; its title is its name then', async () => {
    const name = `bare ${++made}`;
    expect(await alice('PUT', pathOf(name))).toMatchObject({
      status: 201,
      body: { title: name, mode: 'live' },
    });
  });

  test('P3.26 a name is taken once, also by whom it is hidden from', async () => {
    const { path } = await madeByAlice();
    for (const ask of [alice, bob]) {
      expect(await ask('PUT', path)).toMatchObject({ status: 409, code: 'document-exists' });
    }
  });

  test('P3.22 what may not be seen answers like what is not there', async () => {
    const { path } = await madeByAlice();
    const requests: readonly [string, string, object?][] = [
      ['GET', ''],
      ['PATCH', '', { title: 'Mine' }],
      ['DELETE', ''],
      ['GET', '/updates'],
      ['POST', '/updates', { update: 'AAA=' }],
      ['GET', '/state'],
      ['GET', '/presence'],
      ['GET', '/grants'],
      ['PUT', '/grants/user%3Abob', { role: 'owner' }],
      ['DELETE', '/grants/user%3Aalice'],
    ];
    for (const [method, rest, body] of requests) {
      const hidden = await bob(method, path + rest, body && { body });
      const missing = await bob(method, pathOf('nothing here') + rest, body && { body });
      expect(hidden, `${method} ${rest}`).toMatchObject({ status: 404, code: 'document-not-found' });
      expect(hidden.body).toEqual(missing.body);
    }
  });

  test('P3.23 tenants do not see each other, also as administrators', async () => {
    const { name, path } = await madeByAlice();
    expect(await stranger('GET', path)).toMatchObject({ status: 404 });
    expect((await stranger('GET', '/v1/documents')).body).toEqual({ documents: [] });
    expect(await stranger('PUT', path)).toMatchObject({ status: 201, body: { name, createdBy: 'alice' } });
    expect(await stranger('DELETE', path)).toMatchObject({ status: 204 });
    expect(await alice('GET', path)).toMatchObject({ status: 200 });
  });

  test('the list has what one may see, with the role, page by page', async () => {
    const carol = server.as({ sub: 'carol', grants: { 'shared-by-token/*': 'viewer' } });
    const names = ['list a', 'list b', 'shared-by-token/c'];
    for (const name of names) {
      await alice('PUT', pathOf(name));
      if (name.startsWith('list')) {
        await alice('PUT', `${pathOf(name)}/grants/user%3Acarol`, { body: { role: 'editor' } });
      }
    }
    const seen: unknown[] = [];
    let path: string | undefined = '/v1/documents?limit=1';
    while (path !== undefined) {
      const { documents, next } = (await carol('GET', path)).body as { documents: object[]; next?: string };
      expect(documents.length).toBeLessThanOrEqual(1);
      seen.push(...documents);
      path = next === undefined ? undefined : `/v1/documents?limit=1&after=${encodeURIComponent(next)}`;
    }
    expect(seen).toMatchObject([
      { name: 'list a', role: 'editor' },
      { name: 'list b', role: 'editor' },
      { name: 'shared-by-token/c', role: 'viewer' },
    ]);
  });

  test('P1.1 a document that becomes strict is opened anew by those who have it open', async () => {
    const { name, path } = await madeByAlice();
    const token = server.token({ sub: 'alice' });
    const session = openSession({ url: `${server.url.replace('http', 'ws')}/collab`, name, token });
    onTestFinished(() => session.close());
    await session.opened();
    await alice('PATCH', path, { body: { mode: 'strict' } });
    await until(() => session.closes.some(({ reason }) => reason === 'document-reload'));
  });

  test('an editor may change the title, only an owner the mode', async () => {
    const { path } = await madeByAlice();
    await alice('PUT', `${path}/grants/user%3Abob`, { body: { role: 'editor' } });
    expect(await bob('PATCH', path, { body: { title: 'New' } })).toMatchObject({ body: { title: 'New' } });
    expect(await bob('PATCH', path, { body: { mode: 'strict' } })).toMatchObject({ code: 'forbidden' });
    expect(await alice('PATCH', path, { body: { mode: 'strict' } })).toMatchObject({
      body: { mode: 'strict' },
    });
    await alice('PUT', `${path}/grants/user%3Abob`, { body: { role: 'commenter' } });
    expect(await bob('PATCH', path, { body: { title: 'Newer' } })).toMatchObject({ code: 'forbidden' });
  });

  test('P3.26 who makes a deleted name again inherits neither people nor history', async () => {
    const { path } = await madeByAlice();
    await alice('PUT', `${path}/grants/user%3Abob`, { body: { role: 'owner' } });
    await alice('POST', `${path}/updates`, { body: typed('old') });
    expect(await bob('DELETE', path)).toMatchObject({ status: 204 });
    expect(await alice('GET', path)).toMatchObject({ status: 404 });
    expect(await alice('PUT', path)).toMatchObject({ status: 201 });
    expect(await bob('GET', path)).toMatchObject({ status: 404 });
    expect((await alice('GET', `${path}/updates`)).body).toMatchObject({ rows: [], head: 0 });
  });

  test('P3.26 nor whose the Yjs clients of the deleted document were', async () => {
    const { path } = await madeByAlice();
    await alice('PUT', `${path}/grants/user%3Abob`, { body: { role: 'editor' } });
    const update = typed('mine');
    expect(await bob('POST', `${path}/updates`, { body: update })).toMatchObject({ status: 200 });
    expect(await alice('DELETE', path)).toMatchObject({ status: 204 });
    expect(await alice('PUT', path)).toMatchObject({ status: 201 });
    expect(await alice('POST', `${path}/updates`, { body: update })).toMatchObject({ status: 200 });
  });

  test.each([' spaces at the ends ', 'line\nbreak', 'prefix*', 'x'.repeat(256)])(
    'P7.20 refuses the name %j',
    async (name) => {
      expect(await alice('PUT', pathOf(name))).toMatchObject({ status: 400, code: 'name-invalid' });
    },
  );

  test('a name of 255 bytes works', async () => {
    expect(await alice('PUT', pathOf('ü'.repeat(127) + 'x'))).toMatchObject({ status: 201 });
  });
});

describe('grants', () => {
  test('P3.28 a role given is a role had, until it is taken away', async () => {
    const { path } = await madeByAlice();
    expect(await alice('PUT', `${path}/grants/group%3Astaff`, { body: { role: 'viewer' } })).toMatchObject({
      status: 200,
      body: { subject: 'group:staff', role: 'viewer', createdBy: 'alice' },
    });
    expect(await bob('GET', path)).toMatchObject({ body: { role: 'viewer' } });
    expect(await alice('DELETE', `${path}/grants/group%3Astaff`)).toMatchObject({ status: 204 });
    expect(await alice('DELETE', `${path}/grants/group%3Astaff`)).toMatchObject({ status: 204 });
    expect(await bob('GET', path)).toMatchObject({ status: 404 });
  });

  test('P3.28 a grant with an end is over then', async () => {
    const { path } = await madeByAlice();
    const expiresAt = new Date(Date.now() + 700).toISOString();
    await alice('PUT', `${path}/grants/user%3Abob`, { body: { role: 'viewer', expiresAt } });
    expect(await bob('GET', path)).toMatchObject({ status: 200 });
    await until(async () => (await bob('GET', path)).status === 404, { what: 'the end of the grant' });
  });

  test('P3.28 only who manages the document sees and changes them', async () => {
    const { path } = await madeByAlice();
    await alice('PUT', `${path}/grants/user%3Abob`, { body: { role: 'editor' } });
    const own = `${path}/grants/user%3Abob`;
    expect(await bob('GET', `${path}/grants`)).toMatchObject({ status: 403, code: 'forbidden' });
    expect(await bob('PUT', own, { body: { role: 'owner' } })).toMatchObject({ status: 403 });
    expect(await bob('DELETE', own)).toMatchObject({ status: 403 });
  });

  test('P3.12 who misspells a role is told which there are', async () => {
    const { path } = await madeByAlice();
    expect(await alice('PUT', `${path}/grants/user%3Abob`, { body: { role: 'edit' } })).toMatchObject({
      status: 400,
      body: { error: { code: 'role-unknown', roles: ['viewer', 'commenter', 'editor', 'owner'] } },
    });
  });

  test.each(['2099-12-31T23:59:60Z', '2100-01-01T00:59:60+01:00', '2099-12-31T23:59:60.000z'])(
    'P3.28 a grant may end with a leap second: %s',
    async (expiresAt) => {
      const { path } = await madeByAlice();
      const body = { role: 'viewer', expiresAt };
      expect((await alice('PUT', `${path}/grants/user%3Abob`, { body })).body).toMatchObject({
        expiresAt: '2100-01-01T00:00:00.000Z',
      });
    },
  );

  test.each([
    ['nobody', { role: 'viewer' }, 'subject-invalid'],
    ['user:bob', { role: 'king' }, 'role-unknown'],
    ['user:bob', { role: 'viewer', expiresAt: '2001-01-01T00:00:00Z' }, 'bad-request'],
    ['user:bob', { role: 'viewer', expiresAt: 'soon' }, 'bad-request'],
    ['user:bob', { role: 'viewer', expiresAt: '2099-12-31T22:59:60Z' }, 'bad-request'],
    ['user:bob', { role: 'viewer', expires: '2099-01-01T00:00:00Z' }, 'bad-request'],
    ['user:bob', { role: 1 }, 'bad-request'],
    ['user:bob', {}, 'bad-request'],
    ['user:alice', { role: 'editor' }, 'last-owner'],
  ])('refuses %s %j with %s', async (subject, body, code) => {
    const { path } = await madeByAlice();
    const answer = await alice('PUT', `${path}/grants/${encodeURIComponent(subject)}`, { body });
    expect(answer).toMatchObject({ code });
  });

  test('P3.31 an administrator manages the documents of the tenant, and reads them only by a grant', async () => {
    const { path } = await madeByAlice();
    expect(await admin('GET', path)).toMatchObject({ status: 200, body: { role: null } });
    expect(await admin('GET', `${path}/state`)).toMatchObject({ status: 403, code: 'forbidden' });
    await admin('PUT', `${path}/grants/user%3Aops`, { body: { role: 'viewer' } });
    expect(await admin('GET', `${path}/state`)).toMatchObject({ status: 200 });
  });
});

describe('history', () => {
  test('P2.2 pages through the rows in order, from cursor to cursor', async () => {
    const { path } = await madeByAlice();
    const cursors: string[] = [];
    for (const text of ['a', 'b', 'c']) {
      const answer = await alice('POST', `${path}/updates`, { body: typed(text) });
      expect(answer).toMatchObject({ status: 200 });
      cursors.push((answer.body as { cursor: string }).cursor);
    }
    const first = (await alice('GET', `${path}/updates?limit=2`)).body as Record<string, unknown>;
    expect(first).toMatchObject({
      rows: [{ seq: 1, actor: 'alice', kind: 'edit' }, { seq: 2 }],
      next: cursors[1],
      head: 3,
    });
    const rest = await alice('GET', `${path}/updates?after=${cursors[1]}`);
    expect(rest.body).toMatchObject({ rows: [{ seq: 3 }], next: cursors[2], head: 3 });
    expect((await alice('GET', `${path}/updates?after=${cursors[2]}`)).body).toMatchObject({ rows: [] });
  });

  test('P11.1 each row says who, on which instance, when, and under which permissions', async () => {
    const { path } = await madeByAlice();
    const before = Date.now();
    await alice('POST', `${path}/updates`, { body: typed('x') });
    const { rows } = (await alice('GET', `${path}/updates`)).body as { rows: Record<string, unknown>[] };
    expect(rows).toHaveLength(1);
    const [{ actor, session, instance, at, policyRev } = {}] = rows;
    expect(actor).toBe('alice');
    expect(session, 'a request is none').toBe('');
    expect(instance).toEqual(expect.stringMatching(/\S/));
    expect(Math.abs(Date.parse(String(at)) - before)).toBeLessThan(10_000);
    // Making alice the owner was the first change of the document's permissions.
    expect(policyRev).toBeGreaterThanOrEqual(1);
  });

  test('P2.8 a cursor of another history is refused with the one to go on from', async () => {
    const { path } = await madeByAlice();
    const { cursor } = (await alice('POST', `${path}/updates`, { body: typed('x') })).body as {
      cursor: string;
    };
    expect(await alice('GET', `${path}/updates?after=17:1`)).toMatchObject({
      status: 409,
      code: 'cursor-epoch',
      body: { error: { cursor, snapshot: expect.stringMatching(/^\d+:0$/) as string } },
    });
    expect(await alice('GET', `${path}/updates?after=nonsense`)).toMatchObject({ code: 'bad-request' });
  });

  test('P1.1 an update that was answered is in the state, as bytes and as base64', async () => {
    const { path } = await madeByAlice();
    await alice('POST', `${path}/updates`, { body: typed('one') });
    const update = Buffer.from(typed('two')).toString('base64');
    const { cursor } = (await alice('POST', `${path}/updates`, { body: { update } })).body as {
      cursor: string;
    };
    const state = await alice('GET', `${path}/state`);
    expect(state.headers.get('weft-cursor')).toBe(cursor);
    const document = new Y.Doc();
    Y.applyUpdate(document, state.bytes);
    expect(document.getText('text').length).toBe('onetwo'.length);
  });

  test('an unchanged state is not sent again', async () => {
    const { path } = await madeByAlice();
    await alice('POST', `${path}/updates`, { body: typed('one') });
    const etag = (await alice('GET', `${path}/state`)).headers.get('etag') ?? '';
    const headers = { 'if-none-match': etag };
    expect(await alice('GET', `${path}/state`, { headers })).toMatchObject({ status: 304 });
    await alice('POST', `${path}/updates`, { body: typed('two') });
    expect(await alice('GET', `${path}/state`, { headers })).toMatchObject({ status: 200 });
  });

  test('the state of an empty document is an empty update', async () => {
    const { path } = await madeByAlice();
    const { status, bytes } = await alice('GET', `${path}/state`);
    expect(status).toBe(200);
    expect(() => Y.applyUpdate(new Y.Doc(), bytes)).not.toThrow();
  });

  test('P3.32 an update over HTTP is guarded and authorized like any other', async () => {
    const { path } = await madeByAlice();
    await alice('PUT', `${path}/grants/user%3Abob`, { body: { role: 'viewer' } });
    expect(await bob('POST', `${path}/updates`, { body: typed('x') })).toMatchObject({
      code: 'write-forbidden',
    });
    const garbage = Uint8Array.of(1, 2, 3);
    expect(await alice('POST', `${path}/updates`, { body: garbage })).toMatchObject({
      code: 'update-malformed',
    });
    const notBase64 = { update: 'no base64!' };
    expect(await alice('POST', `${path}/updates`, { body: notBase64 })).toMatchObject({
      code: 'bad-request',
    });
    expect((await alice('GET', `${path}/updates`)).body).toMatchObject({ head: 0 });
  });
});

describe('P3.12 roles', () => {
  test('P3.12 an administrator defines a role of the tenant, and people have it', async () => {
    const { path } = await madeByAlice();
    const body = { read: true, presence: false, write: ['notes'], manage: false };
    expect(await alice('PUT', '/v1/roles/annotator', { body })).toMatchObject({ code: 'forbidden' });
    expect(await admin('PUT', '/v1/roles/annotator', { body })).toMatchObject({ status: 200 });
    const { roles } = (await alice('GET', '/v1/roles')).body as { roles: { name: string }[] };
    expect(roles.map(({ name }) => name)).toEqual(['viewer', 'commenter', 'editor', 'owner', 'annotator']);
    await alice('PUT', `${path}/grants/user%3Abob`, { body: { role: 'annotator' } });
    expect(await bob('GET', path)).toMatchObject({ body: { role: 'annotator' } });
    expect(await admin('PUT', '/v1/roles/owner', { body })).toMatchObject({ code: 'bad-request' });
    expect(await admin('DELETE', '/v1/roles/owner')).toMatchObject({ status: 400, code: 'bad-request' });
    expect(await admin('DELETE', '/v1/roles/annotator')).toMatchObject({ status: 204 });
    expect(await bob('GET', path)).toMatchObject({ status: 404 });
  });
});

describe('the audit log', () => {
  test('P11.2 has every act with who did it, for the owner of the document and the administrator', async () => {
    const { name, path } = await madeByAlice();
    await alice('PUT', `${path}/grants/user%3Abob`, { body: { role: 'editor' } });
    await alice('DELETE', `${path}/grants/user%3Abob`);
    const query = `/v1/audit?document=${encodeURIComponent(name)}`;
    const expected = ['document.create', 'grant.put', 'grant.remove'].map((action) => ({
      action,
      actor: 'alice',
    }));
    for (const ask of [alice, admin]) {
      expect((await ask('GET', query)).body).toMatchObject({ entries: expected });
    }
    expect(await bob('GET', query)).toMatchObject({ status: 404 });
    expect(await bob('GET', '/v1/audit')).toMatchObject({ status: 403 });
    const everything = (await admin('GET', '/v1/audit?limit=1000')).body as { entries: object[] };
    expect(everything.entries.length).toBeGreaterThan(3);
    expect((await stranger('GET', '/v1/audit')).body).not.toMatchObject({ entries: [{ document: name }] });
  });

  test('P11.2 an act that fails leaves no entry', async () => {
    const { name, path } = await madeByAlice();
    await alice('DELETE', `${path}/grants/user%3Aalice`);
    const { entries } = (await alice('GET', `/v1/audit?document=${encodeURIComponent(name)}`)).body as {
      entries: { action: string }[];
    };
    expect(entries.map(({ action }) => action)).toEqual(['document.create']);
  });
});

describe('requests', () => {
  test.each([
    [undefined, 'token-missing'],
    ['Bearer nonsense', 'token-invalid'],
    ['Basic YTpi', 'token-invalid'],
  ])('P3.1 authorization %s is answered %s', async (authorization, code) => {
    const headers: Record<string, string> = authorization ? { authorization } : {};
    const answer = await server.ask('GET', '/v1/documents', { headers });
    expect(answer).toMatchObject({ status: 401, code });
    expect(answer.headers.get('www-authenticate')).toBe('Bearer');
  });

  test('P3.35 a token that is refused over HTTP is told why', async () => {
    const token = signToken(SECRET, { sub: 'alice', name: 'A' });
    const answer = await server.ask('GET', '/v1/documents', {
      headers: { authorization: `Bearer ${token.slice(0, -8)}${'A'.repeat(8)}` },
    });
    expect(answer).toMatchObject({ status: 401, code: 'token-invalid' });
    expect(JSON.stringify(answer.body)).toContain('The signature is not good.');
  });

  test('P7.20 what is not of the documented form is refused, and says where', async () => {
    const unknownField = await alice('PUT', pathOf('form'), { body: { titel: 'x' } });
    expect(unknownField).toMatchObject({ status: 400, code: 'bad-request' });
    expect(JSON.stringify(unknownField.body)).toContain('additional properties');
    for (const limit of ['0', 'Infinity', '1e400', '-1e400']) {
      expect(await alice('GET', `/v1/documents?limit=${limit}`)).toMatchObject({ code: 'bad-request' });
    }
    const headers = { 'content-type': 'application/json' };
    const long = { title: 'x'.repeat(100_000) };
    expect(await alice('PUT', pathOf('form'), { body: long, headers })).toMatchObject({
      code: 'frame-too-large',
    });
    expect(await alice('GET', '/v1/nothing')).toMatchObject({ status: 404, code: 'not-found' });
    expect(await alice('GET', '/v1/documents/%zz')).toMatchObject({ code: 'bad-request' });
  });

  test('P7.20 whoever uses a method that an address does not take is told which it takes', async () => {
    const takes: readonly [string, string][] = [
      ['/v1/documents', 'GET, HEAD, OPTIONS'],
      [pathOf('methods'), 'DELETE, GET, HEAD, OPTIONS, PATCH, PUT'],
      [`${pathOf('methods')}/grants/user%3Abob`, 'DELETE, OPTIONS, PUT'],
      ['/healthz', 'GET, HEAD, OPTIONS'],
      ['/v1/openapi.json', 'GET, HEAD, OPTIONS'],
    ];
    for (const [path, methods] of takes) {
      const refused = await alice('POST', path, { body: Buffer.from('{'), headers: { 'content-type': 'x' } });
      expect(refused).toMatchObject({ status: 405, code: 'method-not-allowed' });
      const told = await server.ask('OPTIONS', path);
      expect(told).toMatchObject({ status: 204 });
      for (const { headers } of [refused, told]) expect(headers.get('allow')).toBe(methods);
    }
    const traced = await answerTo('TRACE /v1/documents HTTP/1.1\r\nHost: localhost\r\n\r\n');
    expect(traced).toMatch(/^HTTP\/1\.1 405 /);
    expect(await alice('POST', '/v1/nothing')).toMatchObject({ status: 404 });
  });

  test.each(['/v1/documents/%ff', '/v1/%zz', pathOf('x'.repeat(20_000))])(
    'P7.20 a page of another origin may read why an address is refused (%#)',
    async (path) => {
      const asked = { origin: PAGES, 'access-control-request-method': 'GET' };
      for (const answer of [
        await server.ask('OPTIONS', path, { headers: asked }),
        await alice('GET', path, { headers: { origin: PAGES } }),
      ]) {
        expect(answer.headers.get('access-control-allow-origin')).toBe(PAGES);
        expect(answer.headers.get('x-content-type-options')).toBe('nosniff');
      }
      expect((await alice('GET', path)).status).toBe(400);
    },
  );

  test('P7.20 what is wrong with a request is said', async () => {
    const { path } = await madeByAlice();
    const grant = `${path}/grants/user%3Abob`;
    const json = { 'content-type': 'application/json' };
    const requests: readonly [Promise<Answer>, RegExp][] = [
      [alice('GET', `${path}/updates?after=1`), /After is not <epoch>:<seq>/],
      [alice('PUT', grant, { body: Buffer.from('{"role":'), headers: json }), /not valid JSON/],
      [alice('PUT', grant, { headers: json }), /Body must be object/],
      [
        alice('PUT', grant, { body: Buffer.from('role=editor'), headers: { 'content-type': 'text/x' } }),
        /Media Type/,
      ],
      [
        alice('PUT', grant, { body: { role: 'editor', expiresAt: '2001-01-01T00:00:00Z' } }),
        /ExpiresAt is past/,
      ],
    ];
    for (const [request, said] of requests) {
      const answer = await request;
      expect(answer).toMatchObject({ status: 400, code: 'bad-request' });
      expect(JSON.stringify(answer.body)).toMatch(said);
    }
  });

  test('P7.20 a character that the database does not keep is refused wherever a text may stand', async () => {
    const { path } = await madeByAlice();
    const requests: readonly [Ask, string, string, object?][] = [
      [alice, 'PUT', pathOf('nul'), { title: 'a\0b' }],
      [alice, 'PATCH', path, { title: 'a\0b' }],
      [alice, 'GET', '/v1/documents?after=%00'],
      [alice, 'PUT', `${path}/grants/user%3Abob`, { role: 'a\0' }],
      [admin, 'DELETE', '/v1/roles/a%00'],
      [admin, 'GET', '/v1/audit?document=%00'],
      [admin, 'GET', '/v1/audit?actor=%00'],
      [admin, 'GET', '/v1/audit?action=%00'],
    ];
    for (const [ask, method, address, body] of requests) {
      const { status, code } = await ask(method, address, body && { body });
      expect({ method, address, status, code }).toEqual({
        method,
        address,
        status: 400,
        code: 'bad-request',
      });
    }
  });

  test('P7.20 an update without a body, or in a form that is not taken, is refused', async () => {
    const { path } = await madeByAlice();
    const plain = { body: Buffer.from('{"update":"AAA="}'), headers: { 'content-type': 'text/plain' } };
    for (const options of [{}, plain]) {
      expect(await alice('POST', `${path}/updates`, options)).toMatchObject({
        status: 400,
        code: 'bad-request',
      });
    }
  });

  test('P7.20 a request without a body may say that it is JSON', async () => {
    const headers = { 'content-type': 'application/json' };
    const path = pathOf(`empty ${++made}`);
    expect(await alice('PUT', path, { headers })).toMatchObject({ status: 201 });
    expect(await alice('DELETE', path, { headers })).toMatchObject({ status: 204 });
  });

  test('P7.20 an update in base64 is taken up to the size of the largest, and refused where it is none', async () => {
    const { path } = await madeByAlice();
    const large = Buffer.from(typed('x'.repeat(8 * 1024 * 1024 - 1_000))).toString('base64');
    expect(await alice('POST', `${path}/updates`, { body: { update: large } })).toMatchObject({
      status: 200,
    });
    // No change at all, well-formed and padded.
    const small = Buffer.of(0, 0).toString('base64');
    for (const broken of [`${small.slice(0, -1)}!`, ` ${small}`, `${small}A`, small.replace('=', '')]) {
      expect(await alice('POST', `${path}/updates`, { body: { update: broken } })).toMatchObject({
        status: 400,
        code: 'bad-request',
      });
    }
  });

  test.each(['9007199254740992', '9223372036854775808', '1e30', '1e400'])(
    'P7.20 no entry of the audit log has the number %s',
    async (after) => {
      expect(await admin('GET', `/v1/audit?after=${after}`)).toMatchObject({
        status: 400,
        code: 'bad-request',
      });
    },
  );

  test('P3.1 a token as long as a WebSocket takes it is taken here', async () => {
    const grants = Object.fromEntries(
      Array.from({ length: 900 }, (_, n) => [`folder/document-${n}`, 'viewer']),
    );
    const carol = server.as({ sub: 'carol', grants });
    expect(server.token({ sub: 'carol', grants }).length).toBeGreaterThan(32 * 1024);
    expect(await carol('GET', '/v1/documents')).toMatchObject({ status: 200 });
  });

  test('P7.20 what is no request, or too long for one, is refused with a code', async () => {
    const authorization = `Bearer ${'x'.repeat(100_000)}`;
    const tooLong = await server.ask('GET', '/v1/documents', { headers: { authorization } });
    expect(tooLong).toMatchObject({ status: 413, code: 'frame-too-large' });
    expect(await answerTo('HELLO\r\n\r\n')).toMatch(/^HTTP\/1\.1 400 .*"code":"bad-request"/s);
  });

  test('P7.20 whoever offers another protocol is answered in this one', async () => {
    const offer = 'Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk';
    const request = `GET /healthz HTTP/1.1\r\nHost: localhost\r\n${offer}\r\n\r\n`;
    expect(await answerTo(request)).toMatch(/^HTTP\/1\.1 200 .*"status":"ok"/s);
  });

  test('P7.20 the description tells of the refusals that every route may answer with', async () => {
    const { body } = await server.ask('GET', '/v1/openapi.json');
    const { paths } = body as { paths: Record<string, Record<string, { responses: object }>> };
    for (const { responses } of Object.values(paths).flatMap((methods) => Object.values(methods))) {
      expect(Object.keys(responses)).toEqual(expect.arrayContaining(['4XX', '5XX']));
    }
  });

  test('P7.20 the description says what must be sent, and what comes in headers, and names each operation', async () => {
    interface Operation {
      readonly operationId: string;
      readonly requestBody?: { readonly required: boolean };
      readonly parameters?: readonly { readonly name: string }[];
      readonly responses: Record<string, { readonly headers?: object }>;
    }
    const { body } = await server.ask('GET', '/v1/openapi.json');
    const { paths } = body as { paths: Record<string, Record<string, Operation>> };
    const operations = Object.values(paths).flatMap((methods) => Object.values(methods));
    const names = operations.map(({ operationId }) => operationId);
    expect(names.every((name) => /^[a-z][A-Za-z]+$/.test(name))).toBe(true);
    expect(new Set(names).size).toBe(names.length);
    const optional = operations.filter(({ requestBody }) => requestBody?.required === false);
    expect(optional.map(({ operationId }) => operationId)).toEqual(['createDocument']);
    const state = paths['/v1/documents/{name}/state']?.['get'];
    expect(Object.keys(state?.responses['200']?.headers ?? {})).toEqual(['weft-cursor', 'etag']);
    expect(state?.parameters?.map(({ name }) => name)).toContain('if-none-match');
  });

  test('the description lists the documented routes', async () => {
    const { body } = await server.ask('GET', '/v1/openapi.json');
    const { paths } = body as { paths: Record<string, object> };
    for (const path of [
      '/v1/audit',
      '/v1/documents',
      '/v1/documents/{name}',
      '/v1/documents/{name}/grants',
      '/v1/documents/{name}/grants/{subject}',
      '/v1/documents/{name}/presence',
      '/v1/documents/{name}/state',
      '/v1/documents/{name}/updates',
      '/v1/roles',
      '/v1/roles/{role}',
    ]) {
      expect(paths).toHaveProperty([path]);
    }
  });

  test('P3.10 demo tokens are for development only', async () => {
    expect(await server.ask('POST', '/dev/token', { body: { sub: 'alice' } })).toMatchObject({ status: 404 });
  });
});
