import { createDatabase, openSession, openSocket, until } from '@weft/harness';
import { expect, inject, onTestFinished, test } from 'vitest';
import { startTestServer } from '../../testing/running-server.ts';

test('P7.2 one document more than a connection may have is refused, those that are open on it go on, and closing one makes room', async () => {
  const server = await startTestServer({
    DATABASE_URL: await createDatabase(inject('postgresUrl')),
    WEFT_DOCUMENTS_PER_CONNECTION: '3',
  });
  onTestFinished(() => server.remove());
  const url = `${server.url.replace('http', 'ws')}/collab`;
  const socket = openSocket({ url });
  onTestFinished(() => socket.close());
  const token = server.token({ sub: 'ada', grants: { '*': 'owner' } });
  const open = (name: string) => openSession({ url, socket, name, token });

  const sessions = ['one', 'two', 'three'].map(open);
  const [first] = sessions;
  await Promise.all(sessions.map((session) => session.saved()));
  const refused = open('four');
  await until(() => refused.authenticationFailures.length > 0);
  expect(refused.authenticationFailures).toEqual(['too-many-documents']);
  for (const { text } of sessions) text.insert(0, 'goes on');
  await Promise.all(sessions.map((session) => session.saved()));
  expect(socket.tap.closes).toEqual([]);

  refused.close();
  first?.close();
  await open('four').saved();
});
