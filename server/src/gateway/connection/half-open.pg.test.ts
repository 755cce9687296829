import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { createDatabase, FaultProxy, openSession, until, type Session } from '@weft/harness';
import { expect, inject, onTestFinished, test } from 'vitest';
import { startTestServer } from '../../testing/running-server.ts';

const HEARTBEAT = 2_000;
/** For the machine, not for the server. */
const SLACK = 1_500;
const NAME = 'meeting';

async function startServer() {
  const server = await startTestServer({
    DATABASE_URL: await createDatabase(inject('postgresUrl')),
    WEFT_HEARTBEAT_INTERVAL: `${HEARTBEAT}ms`,
    WEFT_PRESENCE_GRACE: '1s',
  });
  onTestFinished(() => server.remove());
  return { server, url: `${server.url.replace('http', 'ws')}/collab` };
}

test('P6.14 who is cut off without a word is shown for one and a half heartbeats at most, who only says nothing stays', async () => {
  const { server, url } = await startServer();
  const enter = (person: string, through = url): Session => {
    const token = server.token({ sub: person, grants: { [NAME]: 'owner' } });
    const session = openSession({ url: through, name: NAME, token, user: { name: person } });
    onTestFinished(() => session.close());
    return session;
  };
  const cable = await FaultProxy.start(Number(new URL(url).port));
  onTestFinished(() => cable.close());
  const [observer, quiet, unplugged] = [
    enter('observer'),
    enter('quiet'),
    enter('unplugged', cable.through(url)),
  ];
  await Promise.all([observer, quiet, unplugged].map((session) => session.opened()));
  const sees = ({ document }: Session) => observer.provider.awareness?.getStates().has(document.clientID);
  await until(() => sees(quiet) && sees(unplugged), { what: 'everybody to be seen' });

  const pulledAt = Date.now();
  cable.setMode('drop');
  await until(() => !sees(unplugged), { timeout: 4 * HEARTBEAT, what: 'the ghost to go' });

  expect(Date.now() - pulledAt).toBeLessThan(1.5 * HEARTBEAT + SLACK);
  await until(() => Date.now() - pulledAt > 2 * HEARTBEAT);
  expect(sees(quiet)).toBe(true);
  expect(quiet.closes).toEqual([]);
});

/** Answers the server when it is told to. In a thread of its own, since this one is to stand still. */
const PEER = `
  const { parentPort, workerData } = require('node:worker_threads');
  const { WebSocket } = require('ws');
  const socket = new WebSocket(workerData, { autoPong: false });
  socket.on('ping', () => parentPort.postMessage('asked'));
  socket.on('close', () => parentPort.postMessage('closed'));
  parentPort.on('message', () => socket.pong());
`;

test('P6.14 an instance that stood still does not take those for silent who have answered meanwhile', async () => {
  const { url } = await startServer();
  const peer = new Worker(PEER, { eval: true, workerData: url });
  onTestFinished(async () => void (await peer.terminate()));
  expect(await once(peer, 'message')).toEqual(['asked']);

  peer.postMessage('answer');
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, HEARTBEAT);

  expect(await once(peer, 'message')).toEqual(['asked']);
});
