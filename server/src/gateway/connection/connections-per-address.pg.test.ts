import { once } from 'node:events';
import { connect } from 'node:net';
import { createDatabase, until } from '@weft/harness';
import { expect, inject, onTestFinished, test } from 'vitest';
import { WebSocket } from 'ws';
import { startTestServer } from '../../testing/running-server.ts';

test('P7.26 an address has so many connections at once: each that ends, or never came to be, makes room', async () => {
  const server = await startTestServer({
    DATABASE_URL: await createDatabase(inject('postgresUrl')),
    WEFT_CONNECTIONS_PER_ADDRESS: '2',
  });
  onTestFinished(() => server.remove());
  const url = new URL('/collab', server.url);

  for (let attempt = 0; attempt < 3; attempt++) expect(await shakeHandsBadly(url)).toContain('400');
  const first = new WebSocket(url);
  const second = new WebSocket(url);
  onTestFinished(() => [first, second].forEach((socket) => socket.terminate()));
  await Promise.all([once(first, 'open'), once(second, 'open')]);
  expect(await refusal(url)).toContain('429');

  first.terminate();
  await until(async () => (await refusal(url)) === undefined);
});

/** An upgrade without a key, which is no WebSocket. */
async function shakeHandsBadly({ hostname, port }: URL): Promise<string> {
  const socket = connect(Number(port), hostname);
  socket.write(
    `GET /collab HTTP/1.1\r\nHost: ${hostname}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\r\n`,
  );
  const [answer] = (await once(socket, 'data')) as [Buffer];
  socket.destroy();
  return answer.toString().split('\r\n', 1)[0] ?? '';
}

/** Why a connection is refused; `undefined`: it is not. */
async function refusal(url: URL): Promise<string | undefined> {
  const socket = new WebSocket(url);
  const outcome = await Promise.race([
    once(socket, 'open').then(() => undefined),
    new Promise<string>((resolve) => socket.on('error', ({ message }) => resolve(message))),
  ]);
  socket.terminate();
  return outcome;
}
