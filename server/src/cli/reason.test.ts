import { lookup } from 'node:dns/promises';
import { mkdir } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import pg from 'pg';
import { expect, onTestFinished, test } from 'vitest';
import { reasonOf } from './reason.ts';

test('P10.3 a name that has no address is said to be that of HOST, or of the database', async () => {
  const name = 'nowhere.invalid';
  const error: unknown = await lookup(name).catch((failure: unknown) => failure);
  expect(reasonOf(error, { host: name, port: 8080 })).toContain('Change HOST');
  expect(reasonOf(error, { host: '127.0.0.1', port: 8080 })).toContain('the database cannot be reached');
});

test('P10.3 whatever else answers in place of the database, it is the database that is not there', async () => {
  const hangsUp = createServer((socket) => socket.destroy());
  const noTls = createServer((socket) =>
    socket.on('error', () => undefined).once('data', () => socket.end('N')),
  );
  for (const [server, ssl] of [
    [hangsUp, false],
    [noTls, true],
  ] as const) {
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void server.close());
    const { port } = server.address() as AddressInfo;
    const error: unknown = await new pg.Client({ host: '127.0.0.1', port, ssl })
      .connect()
      .catch((failure: unknown) => failure);
    expect(reasonOf(error)).toContain('the database cannot be reached');
  }
});

test('P10.3 what the database itself says is not taken for its absence, whatever the words', () => {
  const error = Object.assign(
    new pg.DatabaseError('timeout exceeded by a rule of this database', 0, 'error'),
    {
      code: '57014',
    },
  );
  expect(reasonOf(error)).toBe('the database refuses: timeout exceeded by a rule of this database.');
});

test('P10.3 a data directory that is none is said to be the trouble', async () => {
  const error: unknown = await mkdir(`${import.meta.filename}/data`, { recursive: true }).catch(
    (failure: unknown) => failure,
  );
  expect(reasonOf(error)).toMatch(/^a file or directory cannot be used: .*data/);
});
