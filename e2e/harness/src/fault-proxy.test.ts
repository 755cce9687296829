import { createServer, connect, type AddressInfo, type Socket } from 'node:net';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { FaultProxy } from './fault-proxy.ts';
import { until } from './wait.ts';

const closers: (() => Promise<unknown> | void)[] = [];
let proxy: FaultProxy;
let client: Socket;
let echoed = '';

beforeEach(async () => {
  echoed = '';
  const echo = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.pipe(socket);
  });
  await new Promise<void>((resolve) => echo.listen(0, '127.0.0.1', resolve));
  proxy = await FaultProxy.start((echo.address() as AddressInfo).port);
  client = connect(proxy.port, '127.0.0.1');
  client.on('error', () => undefined);
  client.on('data', (chunk) => (echoed += chunk.toString()));
  closers.push(
    () => client.destroy() && undefined,
    () => proxy.close(),
    () => new Promise((resolve) => echo.close(resolve)),
  );
});

afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

test('P10.8 a stalled flow delivers everything once it passes again', async () => {
  client.write('one');
  await until(() => echoed === 'one');
  proxy.toClient.mode = 'stall';
  client.write('two');
  await until(() => proxy.toServer.bytes === 6);
  expect(echoed).toBe('one');
  proxy.toClient.mode = 'pass';
  await until(() => echoed === 'onetwo');
});

test('P10.8 a dropping flow loses what it carried, and a swallowing one just so many bytes', async () => {
  proxy.toServer.mode = 'drop';
  client.write('lost');
  await until(() => proxy.toServer.bytes === 4);
  proxy.toServer.mode = 'pass';
  proxy.toServer.swallow(2);
  client.write('abcdef');
  await until(() => echoed === 'cdef');
});

test('P10.8 a sieve lets through what it returns', async () => {
  proxy.toServer.sieve = (chunk) => Buffer.from(chunk.toString().replaceAll('x', ''));
  client.write('axbxc');
  await until(() => echoed === 'abc');
});

test('P10.8 a cut resets connections, and a refusing proxy takes no new ones', async () => {
  client.write('x');
  await until(() => echoed === 'x');
  proxy.cut();
  await until(() => client.closed);
  proxy.refusing = true;
  const second = connect(proxy.port, '127.0.0.1');
  second.on('error', () => undefined);
  await until(() => second.closed);
});
