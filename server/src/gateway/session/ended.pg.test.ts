import { createDatabase, openSession, openSocket } from '@weft/harness';
import { expect, inject, onTestFinished, test } from 'vitest';
import * as Y from 'yjs';
import { startTestServer } from '../../testing/running-server.ts';

test('P9.16 a session that is ended is told nothing more under its address, where the next one may listen', async () => {
  const server = await startTestServer({ DATABASE_URL: await createDatabase(inject('postgresUrl')) });
  onTestFinished(() => server.remove());
  const grants = { read: 'viewer', written: 'editor' };
  for (const name of Object.keys(grants)) {
    await server.as({ sub: 'ada' })('PUT', `/v1/documents/${name}`, { body: {} });
  }
  const url = `${server.url.replace('http', 'ws')}/collab`;
  const socket = openSocket({ url });
  onTestFinished(() => socket.close());
  const enter = (name: string, document = new Y.Doc()) => {
    const token = server.token({ sub: 'ben', grants });
    const session = openSession({ url, name, token, socket, document });
    onTestFinished(() => session.close());
    return session;
  };
  const writer = enter('written');
  await writer.saved();
  const offline = new Y.Doc();
  offline.getText('body').insert(0, 'what a reader may not bring');
  const reader = enter('read', offline);
  expect(await reader.event('closed')).toMatchObject({ code: 'document-rebuild' });

  // One socket keeps the order: with this answer, whatever else the server had to say has come.
  writer.text.insert(0, 'anything');
  await writer.saved();
  expect(reader.acks.surplus).toBe(0);
});
