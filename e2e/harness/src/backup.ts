import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import pg from 'pg';
import { createDatabase } from './postgres.ts';
import { findPostgresPrograms } from './programs.ts';

const run = promisify(execFile);

/** A database as it was at a moment. */
export interface Backup {
  /**
   * Puts the database back to that state as an operator would while servers use it: the older one is restored
   * beside it, everybody is thrown out, and the two change names.
   */
  restore(): Promise<void>;
  close(): void;
}

/** Dumps the database at `url`, which may be in use. @param maintenanceUrl of another database of that server */
export async function backUp(url: string, maintenanceUrl: string): Promise<Backup> {
  const bin = findPostgresPrograms();
  if (!bin) throw new Error('No PostgreSQL programs here; run `npm run setup`');
  const directory = mkdtempSync(join(tmpdir(), 'weft-backup-'));
  const file = join(directory, 'dump');
  await run(join(bin, 'pg_dump'), ['--format=custom', '--file', file, url]);
  return {
    async restore() {
      const restored = await createDatabase(maintenanceUrl);
      await run(join(bin, 'pg_restore'), ['--no-owner', '--dbname', restored, file]);
      await swap(maintenanceUrl, nameOf(url), nameOf(restored));
    },
    close: () => rmSync(directory, { recursive: true, force: true }),
  };
}

const nameOf = (url: string) => pg.escapeIdentifier(new URL(url).pathname.slice(1));

async function swap(maintenanceUrl: string, live: string, restored: string): Promise<void> {
  const operator = new pg.Client({ connectionString: maintenanceUrl });
  await operator.connect();
  try {
    await operator.query(`ALTER DATABASE ${live} WITH ALLOW_CONNECTIONS false`);
    await operator.query(`DROP DATABASE ${live} WITH (FORCE)`);
    await operator.query(`ALTER DATABASE ${restored} RENAME TO ${live}`);
  } finally {
    await operator.end();
  }
}
