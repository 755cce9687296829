import { createDatabase, openSession, until, type Session } from '@weft/harness';
import pg from 'pg';
import { afterAll, beforeAll, beforeEach, expect, inject, onTestFinished, test } from 'vitest';
import * as Y from 'yjs';
import { startTestServer, type TestServer } from '../../testing/running-server.ts';

const GRANTS = { '*': 'owner' };

let server: TestServer;
let database: pg.Client;

beforeAll(async () => {
  const url = await createDatabase(inject('postgresUrl'));
  server = await startTestServer({ DATABASE_URL: url, WEFT_LOG_BACKLOG: '1MiB' });
  database = new pg.Client({ connectionString: url });
  await database.connect();
});
afterAll(async () => {
  await database.end();
  await server.remove();
});

function enter(name: string): Session {
  const token = server.token({ sub: 'ada', grants: GRANTS });
  const session = openSession({ url: `${server.url.replace('http', 'ws')}/collab`, name, token });
  onTestFinished(() => session.close());
  return session;
}

/** Nothing of other documents is committed while one of them cannot be, and together they wait for the database. */
beforeEach(async () => {
  const heavy = enter('heavy');
  await heavy.saved();
  await database.query('BEGIN');
  await database.query(`SELECT FROM documents WHERE name = 'heavy' FOR UPDATE`);
  onTestFinished(async () => {
    await database.query('ROLLBACK');
    await heavy.saved();
  });
  heavy.text.insert(0, 'h'.repeat(900_000));
  await until(async () => (await pendingBytes()) > 900_000, { what: 'the backlog to be nearly full' });
});

async function pendingBytes(): Promise<number> {
  const { bytes } = await server.ask('GET', '/metrics');
  return Number(/^weft_log_pending_bytes\S* (\d+)$/m.exec(Buffer.from(bytes).toString())?.[1]);
}

test('P1.4 what does not fit is not acknowledged on its way out', async () => {
  const light = enter('light');
  await light.saved();
  const before = light.acks.acknowledged.length;
  light.text.insert(0, 'l'.repeat(300_000));
  await until(() => light.closes.length > 0, { what: 'the client to be sent away' });
  expect(light.closes[0]).toMatchObject({ reason: 'log-backlog-full' });
  expect(light.acks.acknowledged.length).toBe(before);
});

test('P1.4 nor what came over HTTP', async () => {
  const ask = server.as({ sub: 'ada', grants: GRANTS });
  await ask('PUT', '/v1/documents/posted', { body: {} });
  const doc = new Y.Doc();
  doc.getText('body').insert(0, 'p'.repeat(300_000));
  const answer = await ask('POST', '/v1/documents/posted/updates', { body: Y.encodeStateAsUpdate(doc) });
  expect([answer.status, answer.code]).toEqual([503, 'log-backlog-full']);
});
