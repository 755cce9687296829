import { silentLogger } from '@weft/common';
import { openDatabase } from '../index.ts';

/**
 * A program for tests: opens the embedded database in the directory given, and appends the numbers from the
 * highest on, printing each when it is on disk, until it is killed.
 */
const [dataDir = ''] = process.argv.slice(2);
const database = await openDatabase({ dataDir, logger: silentLogger });
await database.pool.query('CREATE TABLE IF NOT EXISTS numbers (n int PRIMARY KEY)');
for (;;) {
  const { rows } = await database.pool.query<{ n: number }>(
    'INSERT INTO numbers SELECT coalesce(max(n), 0) + 1 FROM numbers RETURNING n',
  );
  await database.syncToDisk();
  process.stdout.write(`${rows[0]?.n}\n`);
}
