import { createDatabase, openSession } from '@weft/harness';
import { expect, inject, onTestFinished, test } from 'vitest';
import * as Y from 'yjs';
import { startTestServer } from '../../testing/running-server.ts';

test('P7.28 a document does not outgrow its limit, over WebSocket or HTTP, by what it has and not by what it had', async () => {
  const server = await startTestServer({
    DATABASE_URL: await createDatabase(inject('postgresUrl')),
    WEFT_MAX_FRAME: '64KiB',
    WEFT_MAX_DOCUMENT: '64KiB',
  });
  onTestFinished(() => server.remove());
  const ada = { sub: 'ada', grants: { '*': 'owner' } };
  const url = `${server.url.replace('http', 'ws')}/collab`;
  const session = openSession({ url, name: 'cloth', token: server.token(ada) });
  onTestFinished(() => session.close());
  await session.opened();
  for (let written = 0; written < 10; written++) {
    session.text.insert(0, 'x'.repeat(10_000));
    session.text.delete(0, session.text.length);
    await session.saved();
  }
  session.text.insert(0, 'x'.repeat(40_000));
  await session.saved();

  const doc = new Y.Doc();
  doc.getText('other').insert(0, 'x'.repeat(40_000));
  const body = Y.encodeStateAsUpdate(doc);
  const answer = await server.as(ada)('POST', '/v1/documents/cloth/updates', { body });
  expect([answer.status, answer.code]).toEqual([413, 'document-too-large']);
  session.text.insert(0, 'x'.repeat(40_000));
  expect((await session.event('closed')).code).toBe('document-too-large');
});
