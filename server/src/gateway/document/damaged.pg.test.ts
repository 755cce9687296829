import { createDatabase, openSession, until } from '@weft/harness';
import pg from 'pg';
import { expect, inject, onTestFinished, test } from 'vitest';
import { startTestServer } from '../../testing/running-server.ts';

const NAME = 'cloth';
const WRITER = { sub: 'ada', grants: { [NAME]: 'owner' } };

test.each([
  ['a row is cut off', 'UPDATE document_updates SET update = substring(update FROM 1 FOR 9) WHERE seq = 2'],
  ['a row is empty', "UPDATE document_updates SET update = '' WHERE seq = 3"],
  ['a row has lost its content', "UPDATE document_updates SET update = '\\x0000' WHERE seq = 2"],
  ['a row in the middle is gone', 'DELETE FROM document_updates WHERE seq = 2'],
  ['the last row is gone', 'DELETE FROM document_updates WHERE seq = 3'],
  [
    'the snapshot is cut off',
    'INSERT INTO document_snapshots (document_id, seq, state) SELECT document_id, 2, substring(update FROM 1 FOR 9) FROM document_updates WHERE seq = 2',
  ],
  [
    'the snapshot is another',
    'INSERT INTO document_snapshots (document_id, seq, state) SELECT document_id, 2, update FROM document_updates WHERE seq = 2',
  ],
])('P2.6 a document of which %s is refused to whoever opens it, and not shown in part', async (_, damage) => {
  const databaseUrl = await createDatabase(inject('postgresUrl'));
  const pool = new pg.Pool({ connectionString: databaseUrl });
  onTestFinished(() => pool.end());
  const enter = (server: Awaited<ReturnType<typeof startTestServer>>) => {
    const url = `${server.url.replace('http', 'ws')}/collab`;
    const session = openSession({ url, name: NAME, token: server.token(WRITER) });
    onTestFinished(() => session.close());
    return session;
  };

  const before = await startTestServer({ DATABASE_URL: databaseUrl });
  const writer = enter(before);
  await writer.saved();
  for (const word of ['one ', 'two ', 'three ']) {
    writer.text.insert(writer.text.length, word);
    await writer.saved();
  }
  writer.close();
  await before.remove();
  expect((await pool.query(damage)).rowCount).toBe(1);

  const server = await startTestServer({ DATABASE_URL: databaseUrl });
  onTestFinished(() => server.remove());
  const reader = enter(server);
  await until(() => reader.closes.length > 0, { what: 'the refusal' });
  expect(reader.closes[0]).toMatchObject({ code: 4508, reason: 'document-damaged' });
  expect(reader.provider.isSynced).toBe(false);
  const state = await server.as(WRITER)('GET', `/v1/documents/${NAME}/state`);
  expect(state).toMatchObject({ status: 500, body: { error: { code: 'document-damaged' } } });
});
