import { once } from 'node:events';
import { ERRORS } from '@weft/common';
import { createDatabase, tokenFrame } from '@weft/harness';
import { expect, inject, onTestFinished, test } from 'vitest';
import { WebSocket } from 'ws';
import { startTestServer, type TestServer } from '../../testing/running-server.ts';

const ALLOWED = 5;

async function begin(): Promise<TestServer> {
  const server = await startTestServer({
    DATABASE_URL: await createDatabase(inject('postgresUrl')),
    WEFT_REFUSED_TOKEN_RATE: String(ALLOWED),
    WEFT_TRUSTED_PROXIES: '127.0.0.1',
  });
  onTestFinished(() => server.remove());
  return server;
}

/** Presents a token on a connection of its own; the code it is closed with, or `undefined` when it is answered. */
async function present(server: TestServer, token: string, address: string): Promise<number | undefined> {
  const socket = new WebSocket(new URL('/collab', server.url), { headers: { 'x-forwarded-for': address } });
  onTestFinished(() => socket.terminate());
  await once(socket, 'open');
  const signal = AbortSignal.timeout(20_000);
  const outcome = Promise.race([
    once(socket, 'close', { signal }).then(([code]: number[]) => code),
    once(socket, 'message', { signal }).then(() => undefined),
  ]);
  socket.send(tokenFrame('plan', token));
  const code = await outcome;
  socket.terminate();
  return code;
}

test('P7.26 an address that presents wrong tokens without end, each on another connection, is told to come back later', async () => {
  const server = await begin();
  const good = server.token({ sub: 'ada', grants: { '*': 'owner' } });
  const wrong = `${good.slice(0, -5)}wrong`;
  for (let count = 0; count < ALLOWED; count++) {
    expect(await present(server, wrong, '192.0.2.1')).toBeUndefined();
  }
  expect(await present(server, wrong, '192.0.2.1')).toBe(ERRORS['rate-limited'].close);
  expect(await present(server, good, '192.0.2.2')).toBeUndefined();
});

test('P7.26 good tokens are not counted', async () => {
  const server = await begin();
  const good = server.token({ sub: 'ada', grants: { '*': 'owner' } });
  for (let count = 0; count < 2 * ALLOWED; count++) {
    expect(await present(server, good, '192.0.2.1')).toBeUndefined();
  }
});
