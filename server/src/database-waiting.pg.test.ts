import { createDatabase, until } from '@weft/harness';
import { inject, onTestFinished, test } from 'vitest';
import { startTestServer } from './testing/running-server.ts';

test('P12.6 who wait for a connection to Postgres are counted', async () => {
  const server = await startTestServer({ DATABASE_URL: await createDatabase(inject('postgresUrl')) });
  onTestFinished(() => server.remove());
  const waiting = async () => {
    const { bytes } = await server.ask('GET', '/metrics');
    const [, value] =
      /^weft_database_waiting(?:\{[^}]*\})? (\d+)$/m.exec(Buffer.from(bytes).toString()) ?? [];
    return Number(value);
  };
  await until(async () => (await waiting()) === 0);
  const { pool } = server.services;
  const held = Array.from({ length: pool.options.max + 1 }, () => pool.connect());
  await until(async () => (await waiting()) > 0);
  for (const client of held) (await client).release();
  await until(async () => (await waiting()) === 0);
});
