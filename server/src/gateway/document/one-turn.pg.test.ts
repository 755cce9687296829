import { createDatabase, openSession, until, type Session } from '@weft/harness';
import { afterAll, beforeAll, expect, inject, onTestFinished, test } from 'vitest';
import { startTestServer, type TestServer } from '../../testing/running-server.ts';

const WRITERS = ['ada', 'bob', 'cyd', 'dan', 'eve', 'fay'];

let server: TestServer;

beforeAll(async () => {
  server = await startTestServer({ DATABASE_URL: await createDatabase(inject('postgresUrl')) });
});
afterAll(() => server.remove());

async function open(name: string, sub: string, role = 'editor'): Promise<Session> {
  const session = openSession({
    url: `${server.url.replace('http', 'ws')}/collab`,
    name,
    token: server.token({ sub, grants: { [name]: role } }),
  });
  onTestFinished(() => session.close());
  await session.opened();
  return session;
}

interface Row {
  readonly actor: string;
  readonly session: string;
}

async function rowsOf(name: string): Promise<Row[]> {
  const answer = await server.as({ sub: 'olga', grants: { [name]: 'owner' } })(
    'GET',
    `/v1/documents/${name}/updates`,
  );
  return (answer.body as { rows: Row[] }).rows;
}

test('P12.12 updates that arrive in the same moment are rows of their own, each of who wrote it', async () => {
  await open('cloth', 'olga', 'owner');
  const sessions: Session[] = [];
  for (const sub of WRITERS) sessions.push(await open('cloth', sub));
  const before = (await rowsOf('cloth')).length;
  // The server is in this process: it cannot read any of them before all are sent.
  sessions.forEach(({ text }, i) => text.insert(0, String(i)));
  await Promise.all(sessions.map((session) => session.saved()));
  const rows = (await rowsOf('cloth')).slice(before);
  expect(rows.map(({ actor }) => actor).toSorted()).toEqual(WRITERS);
  expect(new Set(rows.map(({ session }) => session)).size).toBe(WRITERS.length);
  await until(() => sessions.every(({ text }) => text.length === WRITERS.length));
  expect(new Set(sessions.map(({ text }) => text.toJSON())).size).toBe(1);
});

test('P3.13 one that is not allowed is refused, and those beside it are written', async () => {
  await open('linen', 'olga', 'owner');
  const sessions: Session[] = [];
  for (const sub of WRITERS) sessions.push(await open('linen', sub, sub === 'cyd' ? 'viewer' : 'editor'));
  const before = (await rowsOf('linen')).length;
  sessions.forEach(({ text }, i) => text.insert(0, String(i)));
  const allowed = sessions.filter((_, i) => WRITERS[i] !== 'cyd');
  await Promise.all(allowed.map((session) => session.saved()));
  const rows = (await rowsOf('linen')).slice(before);
  expect(rows.map(({ actor }) => actor).toSorted()).toEqual(WRITERS.filter((name) => name !== 'cyd'));
  await until(() => allowed.every(({ text }) => text.length === allowed.length));
  expect(allowed.every(({ text }) => !text.toJSON().includes('2'))).toBe(true);
});
