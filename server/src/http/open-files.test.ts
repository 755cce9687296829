import { once } from 'node:events';
import { createServer, connect, type AddressInfo } from 'node:net';
import { noMetrics, silentLogger } from '@weft/common';
import { expect, onTestFinished, test } from 'vitest';
import { openFilesLimit, reserveOpenFiles } from './open-files.ts';

test('P7.30 connections beyond the open files are turned away, which the log says, until others have ended', async () => {
  const warnings: string[] = [];
  const logger = { ...silentLogger, warn: (_fields: object, message: string) => warnings.push(message) };
  const server = createServer((socket) => socket.on('error', () => undefined).end('welcome'));
  server.on('connection', (socket) => socket.setNoDelay(true));
  reserveOpenFiles(server, { limit: 4, logger, metrics: noMetrics });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  const { port } = server.address() as AddressInfo;
  const come = async () => {
    const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
    onTestFinished(() => void socket.destroy());
    const chunks: Buffer[] = [];
    socket.on('data', (chunk: Buffer) => chunks.push(chunk)).on('error', () => undefined);
    await Promise.race([once(socket, 'end'), once(socket, 'close')]);
    return { socket, said: Buffer.concat(chunks).toString() };
  };
  const first = await come();
  expect([first.said, (await come()).said]).toEqual(['welcome', 'welcome']);
  expect((await come()).said).toBe('');
  expect(warnings).toEqual([expect.stringContaining('ulimit -n')]);
  const freed = new Promise<void>((resolve) => {
    const look = () => server.getConnections((_error, count) => (count < 2 ? resolve() : setImmediate(look)));
    look();
  });
  first.socket.end();
  await freed;
  expect((await come()).said).toBe('welcome');
});

test('P7.30 the limit is the one that the system sets', () => {
  expect(openFilesLimit()).toBeGreaterThan(100);
});
