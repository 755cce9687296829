import { FrameType, type DocumentKey } from '@weft/common';
import { createDatabase, openSession, openSocket, until } from '@weft/harness';
import { expect, inject, onTestFinished, test } from 'vitest';
import * as Y from 'yjs';
import { FrameReader } from '../wire/frame-reader.ts';
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

test('P9.16 what waits for the end of the turn in which a session ends is answered before that, not after it', async () => {
  const server = await startTestServer(
    { DATABASE_URL: await createDatabase(inject('postgresUrl')) },
    {
      extensions: [
        {
          onChange: async ({ documentName }) =>
            server.services.collaboration.closeDocument(documentName as DocumentKey, 'document-deleted'),
        },
      ],
    },
  );
  onTestFinished(() => server.remove());
  const grants = { remarks: 'commenter' };
  await server.as({ sub: 'ada' })('PUT', '/v1/documents/remarks', { body: {} });
  const url = `${server.url.replace('http', 'ws')}/collab`;
  const socket = openSocket({ url });
  onTestFinished(() => socket.close());
  const session = openSession({ url, name: 'remarks', token: server.token({ sub: 'ben', grants }), socket });
  await session.saved();
  const types: number[] = [];
  socket.tap.current?.on('message', (frame: ArrayBuffer) => {
    const reader = new FrameReader(new Uint8Array(frame));
    if (reader.string() === 'remarks') types.push(reader.uint());
  });
  session.document.getMap('comments').set('first', true);
  session.text.insert(0, 'a commenter may not');
  await until(() => types.includes(FrameType.Close));
  expect(session.authenticationFailures).toEqual(['document-deleted']);
  expect(session.events).toContainEqual(expect.objectContaining({ weft: 'refused' }));
  expect(types.slice(types.indexOf(FrameType.Auth))).toEqual([FrameType.Auth, FrameType.Close]);
});
