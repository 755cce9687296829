import { once } from 'node:events';
import { ERRORS } from '@weft/common';
import { createDatabase, tokenFrame } from '@weft/harness';
import { expect, inject, onTestFinished, test } from 'vitest';
import { WebSocket } from 'ws';
import { startTestServer } from '../../testing/running-server.ts';

/** A few more than a connection may present at once: a hundred, and one for each document. */
const TOO_MANY = 210;

test.each([
  ['wrong ones', () => 'wrong'],
  ['good ones', (good: string) => good],
])(
  'P7.19 a connection that presents tokens without end, %s, is closed, with a code to come back later',
  async (_kind, tokenOf) => {
    const server = await startTestServer({ DATABASE_URL: await createDatabase(inject('postgresUrl')) });
    onTestFinished(() => server.remove());
    const socket = new WebSocket(new URL('/collab', server.url));
    onTestFinished(() => socket.terminate());
    await once(socket, 'open');
    const token = tokenOf(server.token({ sub: 'ada', grants: { '*': 'owner' } }));
    const closed = once(socket, 'close', { signal: AbortSignal.timeout(20_000) });
    for (let count = 0; count < TOO_MANY; count++) socket.send(tokenFrame(`document ${count % 50}`, token));
    const [code] = (await closed) as [number];
    expect(code).toBe(ERRORS['rate-limited'].close);
  },
);
