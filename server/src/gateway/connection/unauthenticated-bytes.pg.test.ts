import { once } from 'node:events';
import { createDatabase, until } from '@weft/harness';
import { FrameType, SyncType } from '@weft/common';
import { expect, inject, onTestFinished, test } from 'vitest';
import { WebSocket } from 'ws';
import { startTestServer } from '../../testing/running-server.ts';
import { encodeAddress } from '../wire/frames.ts';

test('P7.27 what waits for a token is bounded: more of it ends its own connection, and nothing else', async () => {
  const server = await startTestServer({
    DATABASE_URL: await createDatabase(inject('postgresUrl')),
    WEFT_MAX_UNAUTHENTICATED: '4KiB',
  });
  onTestFinished(() => server.remove());
  const open = async () => {
    const socket = new WebSocket(new URL('/collab', server.url));
    onTestFinished(() => socket.terminate());
    await once(socket, 'open');
    return socket;
  };
  const send = (socket: WebSocket, bytes: number) => {
    const address = encodeAddress('minutes');
    socket.send(
      Buffer.concat([address, Buffer.from([FrameType.Sync, SyncType.Update]), Buffer.alloc(bytes)]),
    );
  };
  const [waiting, greedy] = [await open(), await open()];
  for (const socket of [waiting, greedy]) send(socket, 10);
  // Together more than may wait, and still more without the first.
  send(greedy, 5_000);

  const [code] = (await once(greedy, 'close')) as [number];
  expect(code).toBe(4430);
  const connections = async () => {
    const metrics = await (await fetch(`${server.url}/metrics`)).text();
    return Number(/^weft_connections(?:\{.*?\})? (\S+)/m.exec(metrics)?.[1]);
  };
  await until(async () => (await connections()) === 1);
  expect(waiting.readyState).toBe(WebSocket.OPEN);
});
