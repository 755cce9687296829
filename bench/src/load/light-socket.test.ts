import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { until } from '@weft/harness';
import { expect, onTestFinished, test } from 'vitest';
import { WebSocketServer, type WebSocket } from 'ws';
import { LightSocket } from './light-socket.ts';

/** Around every change of how a length is written, and several reads long. */
const LENGTHS = [0, 1, 125, 126, 65_535, 65_536, 3_000_000];

function messageOf(length: number): Buffer {
  return Buffer.alloc(length, 'a message of some length, ');
}

async function listen(server: WebSocketServer): Promise<string> {
  onTestFinished(() => server.close());
  await once(server, 'listening');
  return `ws://127.0.0.1:${(server.address() as AddressInfo).port}/path`;
}

function connect(url: string) {
  const received: { message: Buffer; length: number }[] = [];
  const ends: string[] = [];
  const opened = Promise.withResolvers<void>();
  const socket = new LightSocket(url, {
    opened: () => opened.resolve(),
    message: (message, length) => received.push({ message: Buffer.from(message), length }),
    closed: (reason) => ends.push(reason),
  });
  onTestFinished(() => socket.close());
  return { socket, received, ends, opened: opened.promise };
}

async function connected() {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  const accepted = once(server, 'connection') as Promise<[WebSocket]>;
  const client = connect(await listen(server));
  const [peer] = await accepted;
  await client.opened;
  return { ...client, peer };
}

test('P12.1 the generator receives every message whole, however it comes', async () => {
  const { peer, received } = await connected();
  for (const length of LENGTHS) peer.send(messageOf(length));
  await until(() => received.length === LENGTHS.length, { what: 'all to arrive' });
  expect(received.map(({ length }) => length)).toEqual(LENGTHS);
  expect(received.every(({ message, length }) => message.equals(messageOf(length)))).toBe(true);
});

test('P12.1 what the generator sends is what a server reads', async () => {
  const { peer, socket } = await connected();
  const sent: Buffer[] = [];
  peer.on('message', (message: Buffer) => sent.push(message));
  for (const length of LENGTHS) socket.send(messageOf(length));
  await until(() => sent.length === LENGTHS.length, { what: 'all to arrive' });
  expect(sent.map((message, index) => message.equals(messageOf(LENGTHS[index] ?? 0)))).toEqual(
    LENGTHS.map(() => true),
  );
});

test('P12.1 of a message that nobody looks into the generator keeps the beginning, and counts the rest', async () => {
  const { peer, socket, received } = await connected();
  socket.keptBytes = 10;
  peer.send(messageOf(3_000_000));
  peer.send(messageOf(5));
  await until(() => received.length === 2, { what: 'both to arrive' });
  expect(received.map(({ length }) => length)).toEqual([3_000_000, 5]);
  expect(received[0]?.message).toEqual(messageOf(10));
  expect(received[1]?.message).toEqual(messageOf(5));
});

test('P12.1 the generator answers pings, and says why it was closed', async () => {
  const { peer, ends } = await connected();
  peer.ping('are you there');
  const [answer] = (await once(peer, 'pong')) as [Buffer];
  expect(answer.toString()).toBe('are you there');
  const closed = once(peer, 'close');
  peer.close(4500, 'later');
  expect((await closed)[0]).toBe(4500);
  await until(() => ends.length > 0, { what: 'the end' });
  expect(ends).toEqual(['closed with 4500 later']);
});

test('P12.1 the generator says goodbye, and notices a server that is gone', async () => {
  const polite = await connected();
  const goodbye = once(polite.peer, 'close');
  await polite.socket.close();
  expect((await goodbye)[0]).toBe(1000);

  const { peer, ends } = await connected();
  peer.terminate();
  await until(() => ends.length > 0, { what: 'the end' });
  expect(ends).toEqual(['the connection broke']);
});

test('P12.1 the generator says how an upgrade was refused', async () => {
  const http = createServer((_, response) => response.writeHead(503).end()).listen(0, '127.0.0.1');
  onTestFinished(() => void http.close());
  await once(http, 'listening');
  const { ends } = connect(`ws://127.0.0.1:${(http.address() as AddressInfo).port}/path`);
  await until(() => ends.length > 0, { what: 'the end' });
  expect(ends).toEqual(['HTTP/1.1 503 Service Unavailable']);
});
