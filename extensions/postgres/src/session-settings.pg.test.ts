import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { silentLogger } from '@weft/common';
import { createDatabase } from '@weft/harness';
import { expect, inject, onTestFinished, test } from 'vitest';
import { openDatabase } from './index.ts';

test.each(['German, DMY', 'SQL, DMY', 'Postgres, MDY'])(
  'P1.27 times are read as they are where the database writes them as %s',
  async (style) => {
    await using database = await databaseWith(`datestyle = '${style}'`);
    const { rows } = await database.pool.query("SELECT timestamptz '2026-03-04 05:06:07.891+01' AS at");
    expect(rows).toEqual([{ at: new Date('2026-03-04T04:06:07.891Z') }]);
  },
);

test.each(['repeatable read', 'serializable'])(
  'P1.27 who waits for a row goes on with what it has become, also in a database of %s transactions',
  async (isolation) => {
    await using database = await databaseWith(`default_transaction_isolation = '${isolation}'`);
    const { pool } = database;
    await pool.query('CREATE TABLE counters (n int)');
    await pool.query('INSERT INTO counters VALUES (0)');
    await Promise.all(Array.from({ length: 50 }, () => pool.query('UPDATE counters SET n = n + 1')));
    expect((await pool.query('SELECT n FROM counters')).rows).toEqual([{ n: 50 }]);
  },
);

test.each(['breaks', 'hangs'] as const)(
  'P1.3 a connection that %s as soon as it is made fails whoever wanted it, and nothing else',
  async (how) => {
    const server = createServer((socket) => {
      const [begun, ready] = [
        Buffer.from('R\0\0\0\x08\0\0\0\0', 'latin1'),
        Buffer.from('Z\0\0\0\x05I', 'latin1'),
      ];
      socket.on('error', () => undefined);
      socket.once('data', () => {
        socket.write(Buffer.concat([begun, ready]));
        socket.once('data', () => how === 'breaks' && socket.destroy());
      });
    });
    await once(server.listen(0, '127.0.0.1'), 'listening');
    onTestFinished(() => void server.close());
    const { port } = server.address() as AddressInfo;
    const url = `postgres://weft@127.0.0.1:${port}/weft`;
    const { pool, close } = await openDatabase({ url, logger: silentLogger, queryTimeoutMs: 200 });
    await expect(pool.query('SELECT 1')).rejects.toThrow(/Connection terminated|timeout/);
    await expect(pool.connect()).rejects.toThrow(/Connection terminated|timeout/);
    await close();
  },
);

/** @param setting as an operator has it for all who connect */
async function databaseWith(setting: string) {
  const url = await createDatabase(inject('postgresUrl'));
  const operator = await openDatabase({ url, logger: silentLogger });
  await operator.pool.query(`ALTER DATABASE ${new URL(url).pathname.slice(1)} SET ${setting}`);
  await operator.close();
  const { pool, close } = await openDatabase({ url, logger: silentLogger });
  return { pool, [Symbol.asyncDispose]: close };
}
