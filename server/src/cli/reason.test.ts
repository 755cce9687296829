import { lookup } from 'node:dns/promises';
import { mkdir } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import pg from 'pg';
import { expect, onTestFinished, test } from 'vitest';
import { reasonOf } from './reason.ts';

const PLACE = { host: '127.0.0.1', port: 80, dataDir: '/data' };

test('P10.3 a name that has no address is said to be that of HOST, or of the database', async () => {
  const name = 'nowhere.invalid';
  const error: unknown = await lookup(name).catch((failure: unknown) => failure);
  expect(reasonOf(error, { ...PLACE, host: name })).toContain('Change HOST');
  expect(reasonOf(error, PLACE)).toContain('the database cannot be reached');
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

test('P10.3 an address that leads to no database is said to be what to change', async () => {
  const refused = (code: string, message: string) =>
    reasonOf(Object.assign(new pg.DatabaseError(message, 0, 'error'), { code }));
  expect(refused('3D000', 'database "plan" does not exist')).toBe(
    'the database refuses: database "plan" does not exist. Create it, or change DATABASE_URL.',
  );
  expect(refused('28P01', 'password authentication failed for user "ada"')).toMatch(/Change DATABASE_URL\.$/);
  const socket = new pg.Client({ host: import.meta.dirname });
  const error: unknown = await socket.connect().catch((failure: unknown) => failure);
  expect(reasonOf(error, PLACE)).toMatch(/^the database cannot be reached .*ENOENT.* change DATABASE_URL\.$/);
});

test('P10.3 a data directory that cannot be made is said to be the trouble', () => {
  const error = Object.assign(new Error("ENOENT: no such file or directory, mkdir '/data'"), {
    code: 'ENOENT',
    syscall: 'mkdir',
    path: '/data',
  });
  expect(reasonOf(error, PLACE)).toMatch(/^a file or directory cannot be used: .* Change WEFT_DATA_DIR\.$/);
});

test('P10.3 a data directory that is none is said to be the trouble', async () => {
  const dataDir = `${import.meta.filename}/data`;
  const error: unknown = await mkdir(dataDir, { recursive: true }).catch((failure: unknown) => failure);
  expect(reasonOf(error, { ...PLACE, dataDir })).toMatch(
    /^a file or directory cannot be used: .*data.* Change WEFT_DATA_DIR\.$/,
  );
});

/** As Node says it; who runs the tests may be allowed everything. */
function forbidden(syscall: string, path?: string): Error {
  return Object.assign(new Error(`EACCES: permission denied, ${syscall}`), { code: 'EACCES', syscall, path });
}

test('P10.3 what this user may not do is said to be about the port, the data directory, or another file', () => {
  expect(reasonOf(forbidden('listen'), PLACE)).toContain('may not listen on port 80');
  expect(reasonOf(forbidden('mkdir', '/data/postgres'), PLACE)).toMatch(
    /may not use a file or directory.*Change WEFT_DATA_DIR\.$/,
  );
  for (const path of ['/database/x', '/etc/key.pem', undefined])
    expect(reasonOf(forbidden('open', path), PLACE)).not.toMatch(/port|WEFT_DATA_DIR/);
});
