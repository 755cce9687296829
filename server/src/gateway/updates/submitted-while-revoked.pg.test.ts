import { documentOf, lockAwaited } from '@weft/harness';
import { expect, test } from 'vitest';
import * as Y from 'yjs';
import { startServerAndDatabase } from '../../testing/server-and-database.ts';

const PATH = '/v1/documents/cloth';

test('P4.1 an update over HTTP is not called saved when its author lost the right before it was written', async () => {
  const { server, database } = await startServerAndDatabase();
  const [ada, bob] = [server.as({ sub: 'ada' }), server.as({ sub: 'bob' })];
  await ada('PUT', PATH, { body: {} });
  await ada('PUT', `${PATH}/grants/user:bob`, { body: { role: 'editor' } });

  await database.query('BEGIN');
  await database.query("SELECT weft_bump_policy_revision('default', 'cloth')");
  await database.query("UPDATE grants SET role = 'viewer' WHERE subject = 'user:bob'");
  const document = new Y.Doc();
  document.getText('body').insert(0, 'warp');
  const submitted = bob('POST', `${PATH}/updates`, { body: Y.encodeStateAsUpdate(document) });
  await lockAwaited(database);
  await database.query('COMMIT');

  const { status, code } = await submitted;
  const { bytes } = await ada('GET', `${PATH}/state`);
  const saved = documentOf(bytes).getText('body').toJSON();
  expect({ status, code, saved }).toEqual({ status: 403, code: 'write-forbidden', saved: '' });
});
