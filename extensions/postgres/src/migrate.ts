import { readdir } from 'node:fs/promises';
import { basename } from 'node:path';
import { checkOut, type Logger } from '@weft/common';
import type pg from 'pg';

const TABLE = 'weft_migrations';
/** Any number nobody else uses: keeps two processes that start at once from migrating both. */
const LOCK = 7_733_540_017;
const UNDEFINED_TABLE = '42P01';

export interface MigrateOptions {
  readonly pool: pg.Pool;
  /** Directories of `NNNN_name.sql` files. Run in the order of their numbers, across directories. */
  readonly directories: readonly string[];
  readonly logger: Logger;
}

/**
 * Brings the schema up to date: every file that has not been run, in one transaction, once, whoever else tries at
 * the same time. Returns the names of what it ran.
 */
export async function migrate({ pool, directories, logger }: MigrateOptions): Promise<string[]> {
  // Only here: most starts find nothing to run.
  const { runner } = await import('node-pg-migrate');
  const client = await checkOut(() => pool.connect());
  let broken: Error | undefined;
  try {
    // An index on a large table takes its time, and so does waiting for the one who builds it.
    await client.query('SET statement_timeout = 0; SET idle_in_transaction_session_timeout = 0');
    const done = await runner({
      dbClient: client,
      direction: 'up',
      dir: directories.map((directory) => `${asGlob(directory)}/*.sql`),
      useGlob: true,
      migrationsTable: TABLE,
      migrationsSchema: await schemaOf(client),
      // Each package numbers its files in a range of its own, so a later one of the first range is no disorder.
      checkOrder: false,
      singleTransaction: true,
      advisoryLockMode: 'wait',
      lockValue: LOCK,
      logger: {
        debug: () => undefined,
        info: (message) => logger.debug({ migration: message }, 'migrate'),
        warn: (message) => logger.warn({ migration: message }, 'migrate'),
        error: (message) => logger.error({ migration: message }, 'migrate'),
      },
    });
    return done.map(({ name }) => name);
  } catch (error) {
    broken = withoutStack(error instanceof Error ? error : new Error(String(error)));
    throw broken;
  } finally {
    // Not back to the pool: its settings are not the pool's.
    client.release(broken ?? true);
  }
}

/**
 * Where the tables are, or else are to be: the first schema of the connection's `search_path`. node-pg-migrate would keep its
 * own table in `public`, which may be closed to this role.
 */
async function schemaOf(client: pg.PoolClient): Promise<string> {
  const { rows } = await client.query<{ schema: string | null }>(
    `SELECT coalesce((SELECT nspname FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
                       WHERE c.oid = to_regclass($1)),
                     current_schema()) AS schema`,
    [TABLE],
  );
  const schema = rows[0]?.schema;
  if (!schema) throw new Error('The search_path names no schema that exists and that this role may use.');
  return schema;
}

/** node-pg-migrate writes the stack of what the database said into its own message, and leaves out the cause. */
function withoutStack(error: Error): Error {
  const stackAt = error.message.search(/\n\s+at /);
  return stackAt < 0 ? error : new Error(error.message.slice(0, stackAt), { cause: error });
}

/** `behind`: there are files to run. `ahead`: the database has run files that this program does not know. */
export type SchemaState = 'current' | 'behind' | 'ahead';

export async function schemaState({
  pool,
  directories,
}: Pick<MigrateOptions, 'pool' | 'directories'>): Promise<SchemaState> {
  const [known, run] = await Promise.all([migrationNames(directories), migrationsRun(pool)]);
  if (run.some((name) => !known.includes(name))) return 'ahead';
  return known.every((name) => run.includes(name)) ? 'current' : 'behind';
}

async function migrationNames(directories: readonly string[]): Promise<string[]> {
  const files = await Promise.all(directories.map((directory) => readdir(directory)));
  return files
    .flat()
    .filter((file) => file.endsWith('.sql'))
    .map((file) => basename(file, '.sql'));
}

async function migrationsRun(pool: pg.Pool): Promise<string[]> {
  try {
    const { rows } = await pool.query<{ name: string }>(`SELECT name FROM ${TABLE} ORDER BY name`);
    return rows.map(({ name }) => name);
  } catch (error) {
    if ((error as { code?: string }).code === UNDEFINED_TABLE) return [];
    throw error;
  }
}

/** A path as a glob pattern that matches it and nothing else. */
function asGlob(path: string): string {
  return path.replaceAll('\\', '/').replaceAll(/[*?[\]{}()!+@]/g, '[$&]');
}
