import { once } from 'node:events';
import { createServer, request, type IncomingMessage, type Server } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { silentLogger } from '@weft/common';
import { until } from '@weft/harness';
import { afterEach, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import type { Phase } from './health.ts';
import { acceptUpgrades, type Upgrades } from './upgrade.ts';

let server: Server;
let upgrades: Upgrades;
let phase: Phase;
let handed: Duplex[];
let handle: (socket: Duplex) => void;

beforeEach(async () => {
  phase = 'ready';
  handed = [];
  handle = (socket) =>
    socket.write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n');
  server = createServer();
  upgrades = acceptUpgrades(server, {
    gateway: {
      handleUpgrade(_request, socket) {
        handed.push(socket);
        handle(socket);
      },
    },
    phase: () => phase,
    logger: silentLogger,
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});

afterEach(() => {
  upgrades.destroy();
  server.close();
});

const port = () => (server.address() as AddressInfo).port;

interface Answer {
  readonly status: number;
  readonly body: string;
}

function upgrade(path: string): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const headers = { connection: 'Upgrade', upgrade: 'websocket' };
    const asked = request({ host: '127.0.0.1', port: port(), path, headers });
    asked.on('upgrade', (answer: IncomingMessage) => resolve({ status: answer.statusCode ?? 0, body: '' }));
    asked.on('response', (answer) => {
      let body = '';
      answer.setEncoding('utf8');
      answer.on('data', (text: string) => (body += text));
      answer.on('end', () => resolve({ status: answer.statusCode ?? 0, body }));
    });
    asked.on('error', reject);
    asked.end();
  });
}

describe('P9.11 upgrades', () => {
  test.each(['/collab', '/collab/', '/collab?x=1'])('P9.11 of %s go to the gateway', async (path) => {
    expect(await upgrade(path)).toMatchObject({ status: 101 });
    expect(handed).toHaveLength(1);
  });

  test('P7.30 whoever is refused and never hangs up holds nothing', async () => {
    const stays = connect({ port: port(), host: '127.0.0.1', allowHalfOpen: true });
    onTestFinished(() => void stays.destroy());
    stays.resume().on('error', () => undefined);
    stays.write('GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
    await once(stays, 'end');
    const connections = () =>
      new Promise<number>((resolve) => server.getConnections((_error, count) => resolve(count)));
    await until(async () => (await connections()) === 0);
  });

  test.each(['/', '/collaborate', '/v1/documents', '/collab/document'])(
    'P9.11 of %s are refused',
    async (path) => {
      expect(await upgrade(path)).toEqual({
        status: 404,
        body: expect.stringContaining('"not-found"') as string,
      });
      expect(handed).toHaveLength(0);
    },
  );

  test.each([
    ['starting', 'server-starting'],
    ['draining', 'server-draining'],
  ] as const)('P8.2 while %s are refused with %s', async (now, code) => {
    phase = now;
    expect(await upgrade('/collab')).toEqual({ status: 503, body: expect.stringContaining(code) as string });
  });

  test('P7.1 that fail in the gateway do not end the process', async () => {
    handle = () => {
      throw new Error('a bug');
    };
    expect(await upgrade('/collab')).toEqual({
      status: 500,
      body: expect.stringContaining('"internal"') as string,
    });
  });

  test('P7.1 that are reset at once do not end the process', async () => {
    phase = 'starting';
    for (let round = 0; round < 20; round++) {
      const socket = connect(port(), '127.0.0.1');
      await new Promise((resolve) => socket.once('connect', resolve));
      socket.write('GET /collab HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
      socket.resetAndDestroy();
    }
    expect(await upgrade('/collab')).toMatchObject({ status: 503 });
  });

  test('P8.1 that are closing are waited for, and none for longer than that', async () => {
    await upgrades.ended(10_000);
    await upgrade('/collab');
    await upgrade('/collab');
    await upgrades.ended(20);
    expect(handed.map((socket) => socket.destroyed)).toEqual([false, false]);
    const ended = upgrades.ended(10_000);
    for (const socket of handed) socket.destroy();
    await ended;
  });

  test('P8.1 that are open are cut at the end', async () => {
    await upgrade('/collab');
    upgrades.destroy();
    await until(() => handed.every((socket) => socket.destroyed));
    await new Promise((resolve) => server.close(resolve));
  });
});
