import { Server } from '@hocuspocus/server';
import { afterEach, beforeEach, expect, test } from 'vitest';
import * as Y from 'yjs';
import { differences, missingFrom } from './compare.ts';
import { FaultProxy } from './fault-proxy.ts';
import { freePort } from './ports.ts';
import { openSession, openSocket, type Session } from './session.ts';
import { until } from './wait.ts';

let server: Server;
let port: number;
let sessions: Session[] = [];

beforeEach(async () => {
  port = await freePort();
  server = new Server({ port, address: '127.0.0.1', quiet: true, stopOnSignals: false });
  await server.listen();
});

afterEach(async () => {
  for (const session of sessions) session.close();
  sessions = [];
  await server.destroy();
});

function open(name: string, options: Partial<Parameters<typeof openSession>[0]> = {}): Session {
  const session = openSession({ url: `ws://127.0.0.1:${port}`, name, token: 'any', ...options });
  sessions.push(session);
  return session;
}

test('P10.8 the ledger matches each update that left with the status that answered it', async () => {
  const [one, two] = [open('cloth'), open('cloth')];
  await Promise.all([one.opened(), two.opened()]);
  await one.saved();
  const before = one.acks.sent.length;
  for (const character of 'warp') one.text.insert(one.text.length, character);
  await one.saved();
  expect(one.acks.sent.slice(before).map(({ as, fate }) => [as, fate])).toEqual(
    Array.from({ length: 4 }, () => ['update', 'acknowledged']),
  );
  expect(one.acks.surplus).toBe(0);
  await until(() => two.text.toJSON() === 'warp');
  expect(differences({ one: one.document, two: two.document })).toEqual([]);
  expect(
    missingFrom(
      two.document,
      one.acks.acknowledged.map(({ bytes }) => bytes),
    ),
  ).toEqual([]);
});

test('P10.8 what was on its way when the connection ended is neither acknowledged nor refused', async () => {
  const proxy = await FaultProxy.start(port);
  const one = open('cloth', { url: proxy.through(`ws://127.0.0.1:${port}`) });
  await one.saved();
  proxy.toClient.mode = 'drop';
  one.text.insert(0, 'thread');
  const update = one.acks.sent.at(-1);
  expect(update?.fate).toBe('pending');
  expect(one.isSaved).toBe(false);
  await until(() => server.hocuspocus.documents.get('cloth')?.getText('body').toJSON() === 'thread');
  proxy.cut();
  proxy.toClient.mode = 'pass';
  await until(() => update?.fate === 'unknown');
  await one.saved();
  expect(one.acks.sent.at(-1)?.fate).toBe('acknowledged');
  one.close();
  await proxy.close();
});

test('P9.7 several documents and several sessions of one share a socket', async () => {
  const socket = openSocket({ url: `ws://127.0.0.1:${port}` });
  const shared = [
    open('a', { socket }),
    open('b', { socket }),
    open('c', { socket, sessionAwareness: true, document: new Y.Doc() }),
    open('c', { socket, sessionAwareness: true, document: new Y.Doc() }),
  ];
  await Promise.all(shared.map((session) => session.saved()));
  shared.forEach((session, index) => session.text.insert(0, `written by ${index}`));
  await Promise.all(shared.map((session) => session.saved()));
  expect(shared.map(({ acks }) => acks.acknowledged.at(-1)?.as)).toEqual(Array(4).fill('update'));
  for (const session of shared) session.close();
  socket.close();
});
