import { documentKey } from '@weft/common';
import { documentOf, lockAwaited } from '@weft/harness';
import { expect, test } from 'vitest';
import * as Y from 'yjs';
import { startServerAndDatabase } from '../../testing/server-and-database.ts';

const KEY = documentKey('default', 'cloth');
const PATH = '/v1/documents/cloth';

test('P1.1 an update over HTTP is not called saved when its document is given up before it is written', async () => {
  const { server, database } = await startServerAndDatabase();
  const ask = server.as({ sub: 'ada' });
  await ask('PUT', PATH, { body: {} });

  // Whose Yjs client it is has to be written down first, which takes as long as this lasts.
  await database.query('BEGIN; LOCK TABLE client_bindings IN EXCLUSIVE MODE');
  const document = new Y.Doc();
  document.getText('body').insert(0, 'warp');
  const submitted = ask('POST', `${PATH}/updates`, { body: Y.encodeStateAsUpdate(document) });
  await lockAwaited(database);
  await server.services.collaboration.closeDocument(KEY, 'document-reload');
  await database.query('COMMIT');

  const { status, code } = await submitted;
  const { bytes } = await ask('GET', `${PATH}/state`);
  const saved = documentOf(bytes).getText('body').toJSON();
  expect({ status, code, saved }).toEqual({ status: 503, code: 'document-reload', saved: '' });
});
