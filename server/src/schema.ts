import type { Logger } from '@weft/common';
import { migrate, requireOwnSessions, schemaState, type Database } from '@weft/postgres';
import type { Config } from './config.ts';
import { MIGRATION_DIRECTORIES } from './migrations.ts';

export interface SchemaOptions {
  readonly config: Pick<Config, 'autoMigrate'>;
  readonly database: Pick<Database, 'kind' | 'pool'>;
  readonly logger: Logger;
}

/**
 * Brings the tables up to date where the configuration says so, else only looks at them: a version that runs on the
 * tables of another would fail later, in the middle of somebody's edit.
 */
export async function prepareSchema({ config, database, logger }: SchemaOptions): Promise<void> {
  if (config.autoMigrate) {
    const names = await bringUpToDate({ database, logger });
    if (names.length > 0) logger.info({ migrations: names }, 'the tables have been brought up to date');
  } else if ((await usableState(database)) === 'behind') {
    throw new Error('The tables are behind this version. Run weft migrate.');
  }
}

/** Returns the names of the migrations that it ran. @throws when a newer version has been at work here */
export async function bringUpToDate({ database, logger }: Omit<SchemaOptions, 'config'>): Promise<string[]> {
  if ((await usableState(database)) === 'current') return [];
  return migrate({ pool: database.pool, directories: MIGRATION_DIRECTORIES, logger });
}

async function usableState({ kind, pool }: SchemaOptions['database']): Promise<'current' | 'behind'> {
  // The embedded one shares its only session by design, and keeps statements and listeners apart itself.
  if (kind === 'postgres') await requireOwnSessions(pool);
  const state = await schemaState({ pool, directories: MIGRATION_DIRECTORIES });
  if (state === 'ahead') throw new Error('The tables are of a newer version of Weft. Start that version.');
  return state;
}
