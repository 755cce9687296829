import { createDatabase, openSession, startWeft, until, type Session, type WeftServer } from '@weft/harness';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import pg from 'pg';
import { expect, inject, test } from 'vitest';
import { closing } from '../shared/clean-up.ts';
import { expectLogged, reader } from '../shared/promises.ts';

const NAME = 'cloth';

interface Place {
  readonly server: WeftServer;
  readonly databaseUrl: string;
}

async function begin(env: Record<string, string> = {}): Promise<Place> {
  const databaseUrl = await createDatabase(inject('postgresUrl'));
  const server = closing(await startWeft({ databaseUrl, env }));
  await server.as({ sub: 'olga' }).createDocument(NAME);
  return { server, databaseUrl };
}

function open(server: WeftServer, sub: string, token?: () => string): Session {
  return closing(
    openSession({
      url: server.wsUrl,
      name: NAME,
      token: token ?? server.token({ sub, name: sub }),
      user: { name: sub },
    }),
  );
}

/** Types one character after another until told to stop, whatever the server thinks of it. */
function typeOn(session: Session, character: string): () => void {
  const timer = setInterval(() => session.text.insert(session.text.length, character), 5);
  const stop = () => clearInterval(timer);
  closing({ close: stop });
  return stop;
}

async function query<Row extends pg.QueryResultRow>(
  databaseUrl: string,
  text: string,
  values: unknown[] = [],
) {
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    const { rows } = await client.query<Row>(text, values);
    if (!rows[0]) throw new Error('The database has no answer');
    return rows[0];
  } finally {
    await client.end();
  }
}

/** The database's own clock at the revoke's commit is between these two, so no row may be younger than the second. */
async function databaseTime(databaseUrl: string): Promise<Date> {
  return (await query<{ now: Date }>(databaseUrl, 'SELECT clock_timestamp() AS now')).now;
}

test('P4.1 once a revoke has committed, no update of that person is logged, and the rights are gone within a second', async () => {
  const { server, databaseUrl } = await begin();
  const owner = server.as({ sub: 'olga' });
  await owner.grant(NAME, 'user:anna', 'editor');
  await owner.grant(NAME, 'user:ben', 'editor');
  const [anna, ben] = [open(server, 'anna'), open(server, 'ben')];
  await Promise.all([anna.opened(), ben.opened()]);
  const stopAnna = typeOn(anna, 'a');
  const stopBen = typeOn(ben, 'b');
  await until(() => anna.acks.acknowledged.length > 50 && ben.acks.acknowledged.length > 50);

  await owner.revoke(NAME, 'user:anna');
  const revokedAt = performance.now();
  const headAtRevoke = (await owner.updates(NAME, { limit: 1 })).head;
  const noRowAfter = await databaseTime(databaseUrl);
  await until(() => anna.events.some((event) => event.weft === 'closed'), { what: 'the end of the session' });
  expect(performance.now() - revokedAt).toBeLessThan(1_000);
  expect(anna.events.find((event) => event.weft === 'closed')).toMatchObject({ retryable: false });

  const acknowledgedThen = ben.acks.acknowledged.length;
  await until(() => ben.acks.acknowledged.length > acknowledgedThen + 100, { what: 'others to go on' });
  stopAnna();
  stopBen();
  await ben.saved();
  const rows = await expectLogged(
    server,
    NAME,
    [anna, ben].flatMap(({ acks }) => acks.acknowledged.map(({ bytes }) => bytes)),
  );
  const annasLater = rows.filter(({ actor, seq }) => actor === 'anna' && seq > headAtRevoke);
  expect(annasLater).toEqual([]);
  expect(rows.filter(({ actor, at }) => actor === 'anna' && new Date(at) > noRowAfter)).toEqual([]);
  expect(rows.filter(({ actor }) => actor === 'anna').length).toBeGreaterThan(0);
  // What was shown in the moment between the revoke and its notice is taken back for everybody.
  const newcomer = open(server, 'ben');
  await newcomer.opened();
  expect(newcomer.text.toJSON()).toBe(ben.text.toJSON());
});

test('P4.2 somebody whose access was removed cannot come back in, and others on the same socket stay', async () => {
  const { server } = await begin();
  const owner = server.as({ sub: 'olga' });
  await owner.grant(NAME, 'user:anna', 'editor');
  await server.as({ sub: 'anna' }).createDocument('her own');
  const anna = open(server, 'anna');
  const own = closing(
    openSession({
      url: server.wsUrl,
      name: 'her own',
      token: server.token({ sub: 'anna' }),
      socket: anna.socket,
    }),
  );
  await Promise.all([anna.opened(), own.saved()]);
  await owner.revoke(NAME, 'user:anna');
  await until(() => anna.events.some((event) => event.weft === 'closed'));
  own.text.insert(0, 'still here');
  await own.saved();

  const again = open(server, 'anna');
  await until(() => again.authenticationFailures.length > 0, { what: 'the refusal' });
  expect(again.text.toJSON()).toBe('');
});

/** An integrator's endpoint that gives everybody the same role, until it breaks. */
async function permissionEndpoint() {
  const endpoint = { url: '', broken: false, role: 'editor' as string | null };
  const http = createServer((_, response) => {
    response.statusCode = endpoint.broken ? 503 : 200;
    response.end(JSON.stringify({ role: endpoint.role }));
  });
  closing({ close: () => http.close() });
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  endpoint.url = `http://127.0.0.1:${(http.address() as AddressInfo).port}/may`;
  return endpoint;
}

function askingAt({ url }: { url: string }): Record<string, string> {
  return { WEFT_PERMISSION_URL: url, WEFT_PERMISSION_SECRET: 'shared with the endpoint, 32 bytes.' };
}

test('P4.8 an integrator says that rights have changed: nothing of who lost them is saved from then on', async () => {
  const endpoint = await permissionEndpoint();
  const { server } = await begin(askingAt(endpoint));
  const anna = open(server, 'anna');
  await anna.opened();
  const stop = typeOn(anna, 'a');
  await until(() => anna.acks.acknowledged.length > 20, { what: 'Anna to be saved' });

  endpoint.role = null;
  const integrator = server.as({ sub: 'integrator', scope: 'admin' });
  const said = await integrator.request('POST', '/v1/permission-changes', { pattern: NAME });
  expect(said.status).toBe(204);
  const owner = server.as({ sub: 'olga' });
  const { head } = await owner.updates(NAME, { limit: 1 });
  await until(() => anna.events.some((event) => event.weft === 'closed'), { what: 'the end of the session' });
  stop();
  const rows = await owner.log(NAME);
  expect(rows.filter(({ seq, actor }) => seq > head && actor === 'anna')).toEqual([]);
  expect(rows.some(({ actor }) => actor === 'anna')).toBe(true);

  const refused = await server
    .as({ sub: 'anna' })
    .request('POST', '/v1/permission-changes', { pattern: '*' });
  expect(refused.status).toBe(403);
  const senseless = await integrator.request('POST', '/v1/permission-changes', { pattern: '' });
  expect(senseless).toMatchObject({ status: 400, body: { error: { code: 'name-invalid' } } });
});

test('P4.5 when rights have changed and cannot be asked for, people are sent away within a second, and come back by themselves', async () => {
  const endpoint = await permissionEndpoint();
  const { server, databaseUrl } = await begin(askingAt(endpoint));
  const ben = open(server, 'ben');
  await ben.opened();

  endpoint.broken = true;
  const changedAt = performance.now();
  await query(databaseUrl, `SELECT weft_bump_policy_revision('default', $1)`, [NAME]);
  await until(() => ben.closes.some(({ reason }) => reason === 'permissions-unavailable'), { interval: 5 });
  expect(performance.now() - changedAt).toBeLessThan(1_000);

  endpoint.broken = false;
  ben.text.insert(0, 'written meanwhile');
  await ben.saved();
});

test('P3.13 a viewer sees everything and changes nothing, not even for a moment', async () => {
  const { server } = await begin();
  await server.as({ sub: 'olga' }).grant(NAME, 'user:vera', 'viewer');
  const [olga, vera] = [open(server, 'olga'), open(server, 'vera')];
  await Promise.all([olga.saved(), vera.opened()]);
  expect((await vera.event('access')).writable).toEqual([]);
  olga.text.insert(0, 'read me');
  await until(() => vera.text.toJSON() === 'read me');
  await until(() => olga.provider.awareness?.getStates().get(vera.document.clientID), {
    what: "the viewer's presence",
  });

  vera.text.insert(0, 'mine: ');
  const refusal = await vera.event('refused');
  expect(refusal.code).toBe('write-forbidden');
  olga.text.insert(7, '!');
  await olga.saved();
  expect(olga.text.toJSON()).toBe('read me!');
  expect(vera.acks.acknowledged.every(({ as }) => as === 'sync-step-2')).toBe(true);
  const rows = await expectLogged(server, NAME, []);
  expect(new Set(rows.map(({ actor }) => actor))).toEqual(new Set(['olga']));
});

test('P3.14 a commenter writes comments and nothing else', async () => {
  const { server } = await begin();
  await server.as({ sub: 'olga' }).grant(NAME, 'user:carl', 'commenter');
  const [olga, carl] = [open(server, 'olga'), open(server, 'carl')];
  await Promise.all([olga.saved(), carl.saved()]);
  expect((await carl.event('access')).writable).toEqual(['comments']);
  olga.text.insert(0, 'the text');
  await until(() => carl.text.toJSON() === 'the text');

  carl.document.getMap('comments').set('c1', 'well said');
  await carl.saved();
  await until(() => olga.document.getMap('comments').get('c1') === 'well said');

  carl.text.insert(0, 'not yours: ');
  expect((await carl.event('refused')).code).toBe('root-forbidden');
  await olga.saved();
  expect(olga.text.toJSON()).toBe('the text');
  const rows = await expectLogged(
    server,
    NAME,
    carl.acks.acknowledged.map(({ bytes }) => bytes),
  );
  expect(rows.some(({ actor }) => actor === 'carl')).toBe(true);
});

test('P3.16 a refused insertion is undone for its author too, who then goes on', async () => {
  const { server } = await begin();
  await server.as({ sub: 'olga' }).grant(NAME, 'user:carl', 'commenter');
  const [olga, carl] = [open(server, 'olga'), open(server, 'carl')];
  await Promise.all([olga.saved(), carl.saved()]);
  carl.text.insert(0, 'not yours');
  const refusal = await carl.event('refused');
  expect(refusal.repaired).toBe(true);
  await until(() => carl.text.toJSON() === '', { what: 'the insertion to disappear from its author' });
  carl.document.getMap('comments').set('c2', 'sorry');
  await carl.saved();
  await until(() => olga.document.getMap('comments').get('c2') === 'sorry');
});

test('P3.3 a token that ends in mid-session ends the session to the second', async () => {
  const { server } = await begin();
  const token = server.token({ sub: 'olga', expiresIn: 3 });
  const endsAt = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as {
    exp: number;
  };
  const olga = open(server, 'olga', () => token);
  await olga.saved();
  const stop = typeOn(olga, 'x');
  await until(() => olga.events.some((event) => event.weft === 'closed' && event.code === 'token-expired'), {
    timeout: 8_000,
    what: 'the end of the token',
  });
  stop();
  const rows = await reader(server, NAME).log(NAME);
  expect(rows.filter(({ at }) => new Date(at).getTime() > endsAt.exp * 1000 + 1_000)).toEqual([]);
});

test('P3.4 a token is refreshed on the open connection, without a gap', async () => {
  const { server } = await begin();
  let minted = 0;
  const firstEndsAt = Date.now() + 4_000;
  const olga = open(server, 'olga', () => {
    minted++;
    return server.token({ sub: 'olga', expiresIn: minted === 1 ? 4 : 60 });
  });
  await olga.saved();
  const stop = typeOn(olga, 'x');
  await until(() => Date.now() > firstEndsAt + 1_500, { interval: 100, what: 'the end of the first token' });
  const acknowledgedThen = olga.acks.acknowledged.length;
  await until(() => olga.acks.acknowledged.length > acknowledgedThen + 20, {
    what: 'edits to be saved after it',
  });
  stop();
  await olga.saved();
  expect(minted).toBeGreaterThan(1);
  expect(olga.socket.tap.closes).toEqual([]);
  expect(olga.events.filter((event) => event.weft === 'closed')).toEqual([]);
  expect((await expectLogged(server, NAME, [])).length).toBeGreaterThan(0);
});

test('P3.22 an unknown document, a foreign tenant, and a forged token all look the same from outside', async () => {
  const { server } = await begin();
  const attempts = [
    openSession({ url: server.wsUrl, name: 'no such document', token: server.token({ sub: 'eve' }) }),
    openSession({ url: server.wsUrl, name: NAME, token: server.token({ sub: 'eve' }) }),
    openSession({ url: server.wsUrl, name: NAME, token: server.token({ sub: 'olga', tenant: 'other' }) }),
  ];
  for (const attempt of attempts) closing(attempt);
  await until(() => attempts.every(({ authenticationFailures }) => authenticationFailures.length > 0), {
    what: 'the refusals',
  });
  expect(new Set(attempts.map(({ authenticationFailures }) => authenticationFailures[0])).size).toBe(1);
  const forged = closing(
    openSession({ url: server.wsUrl, name: NAME, token: 'eyJhbGciOiJub25lIn0.eyJzdWIiOiJvbGdhIn0.' }),
  );
  await until(() => forged.authenticationFailures.length > 0);
});
