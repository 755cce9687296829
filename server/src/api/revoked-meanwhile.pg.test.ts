import { createDatabase, lockAwaited } from '@weft/harness';
import pg from 'pg';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { startTestServer, type Answer, type Ask, type TestServer } from '../testing/running-server.ts';

let server: TestServer;
let database: pg.Client;
let alice: Ask;
let bob: Ask;

beforeAll(async () => {
  const url = await createDatabase(inject('postgresUrl'));
  server = await startTestServer({ DATABASE_URL: url });
  database = new pg.Client({ connectionString: url });
  await database.connect();
  [alice, bob] = [server.as({ sub: 'alice' }), server.as({ sub: 'bob' })];
});
afterAll(async () => {
  await database.end();
  await server.remove();
});

/** Asks for something that waits for a document's row, in whose transaction Bob loses his rights meanwhile. */
async function whileBobIsRevoked(name: string, ask: () => Promise<Answer>): Promise<Answer> {
  await database.query('BEGIN');
  await database.query('SELECT weft_bump_policy_revision($1, $2)', ['default', name]);
  await database.query(`DELETE FROM grants WHERE pattern = $1 AND subject = 'user:bob'`, [name]);
  const answer = ask();
  await lockAwaited(database);
  await database.query('COMMIT');
  return answer;
}

const acts: Record<string, (path: string) => Promise<Answer>> = {
  'give somebody a role': (path) => bob('PUT', `${path}/grants/user:mallory`, { body: { role: 'owner' } }),
  'take a role away': (path) => bob('DELETE', `${path}/grants/user:carol`),
  'rename it': (path) => bob('PATCH', path, { body: { title: 'Mine' } }),
  'delete it': (path) => bob('DELETE', path),
};

test.each(Object.entries(acts))(
  'P4.11 somebody revoked while they were about to %s does not',
  async (what, act) => {
    const path = `/v1/documents/${encodeURIComponent(what)}`;
    await alice('PUT', path, { body: { title: 'Ours' } });
    for (const owner of ['bob', 'carol']) {
      await alice('PUT', `${path}/grants/user:${owner}`, { body: { role: 'owner' } });
    }
    const answer = await whileBobIsRevoked(what, () => act(path));
    expect([answer.status, answer.code]).toEqual([404, 'document-not-found']);
    expect((await alice('GET', path)).body).toMatchObject({ title: 'Ours' });
    const { grants } = (await alice('GET', `${path}/grants`)).body as { grants: { subject: string }[] };
    expect(grants.map(({ subject }) => subject)).toEqual(['user:alice', 'user:carol']);
  },
);
