import { migrate, schemaState } from '@weft/postgres';
import type { Command } from 'commander';
import { openConfiguredDatabase } from '../database.ts';
import { createTelemetry } from '../lifecycle.ts';
import { MIGRATION_DIRECTORIES } from '../migrations.ts';
import { configOf } from './options.ts';

const directories = MIGRATION_DIRECTORIES;

export async function migrateTables(command: Command): Promise<void> {
  const config = configOf(command, 'maintenance');
  const { logger } = createTelemetry(config);
  const database = await openConfiguredDatabase(config, logger);
  try {
    if (command.opts<{ check?: boolean }>().check) return await check(database.pool);
    const names = await migrate({ pool: database.pool, directories, logger });
    await database.syncToDisk();
    process.stdout.write(names.length > 0 ? `Ran ${names.join(', ')}.\n` : 'The tables are up to date.\n');
  } finally {
    await database.close();
  }
}

async function check(pool: Parameters<typeof schemaState>[0]['pool']): Promise<void> {
  const state = await schemaState({ pool, directories });
  process.stdout.write(
    {
      current: 'The tables are up to date.\n',
      behind: 'The tables are behind: run weft migrate.\n',
      ahead: 'The tables are of a newer version of Weft.\n',
    }[state],
  );
  if (state !== 'current') process.exitCode = 1;
}
