import { type DocumentKey, nameOf, silentLogger, tenantOf } from '@weft/common';
import { createDatabase } from '@weft/harness';
import { migrate } from '@weft/postgres';
import pg from 'pg';

const directory = (path: string) => new URL(path, import.meta.url).pathname;

/** An empty database with the tables of the log and of the grants. */
export async function openPool(postgresUrl: string): Promise<pg.Pool> {
  const pool = new pg.Pool({ connectionString: await createDatabase(postgresUrl), max: 20 });
  const directories = [directory('../../../update-log/sql'), directory('../../sql')];
  await migrate({ pool, directories, logger: silentLogger });
  return pool;
}

export async function createDocument(pool: pg.Pool, key: DocumentKey): Promise<void> {
  await pool.query("INSERT INTO documents (tenant, name, created_by) VALUES ($1, $2, 'test')", [
    tenantOf(key),
    nameOf(key),
  ]);
}
