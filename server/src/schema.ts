import type { Logger } from '@weft/common';
import { migrate, schemaState, type Database } from '@weft/postgres';
import type { Config } from './config.ts';
import { MIGRATION_DIRECTORIES } from './migrations.ts';

export interface SchemaOptions {
  readonly config: Pick<Config, 'autoMigrate'>;
  readonly database: Pick<Database, 'pool'>;
  readonly logger: Logger;
}

/**
 * Brings the tables up to date where the configuration says so, else only looks at them: a version that runs on the
 * tables of another would fail later, in the middle of somebody's edit.
 */
export async function prepareSchema({ config, database: { pool }, logger }: SchemaOptions): Promise<void> {
  const directories = MIGRATION_DIRECTORIES;
  if (config.autoMigrate) {
    const names = await migrate({ pool, directories, logger });
    if (names.length > 0) logger.info({ migrations: names }, 'the tables have been brought up to date');
    return;
  }
  const state = await schemaState({ pool, directories });
  if (state === 'behind') throw new Error('The tables are behind this version. Run weft migrate.');
  if (state === 'ahead') throw new Error('The tables are of a newer version of Weft. Start that version.');
}
