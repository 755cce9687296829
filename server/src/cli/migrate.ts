import type { Logger } from '@weft/common';
import { schemaState, type Database } from '@weft/postgres';
import type { Command } from 'commander';
import { openConfiguredDatabase } from '../database.ts';
import { createTelemetry } from '../lifecycle.ts';
import { MIGRATION_DIRECTORIES } from '../migrations.ts';
import { bringUpToDate } from '../schema.ts';
import type { CommandConfig } from './command-options.ts';
import { fail } from './fail.ts';
import { configOf } from './options.ts';
import { reasonOf } from './reason.ts';

type Task = (database: Database, logger: Logger) => Promise<void>;

export async function migrateTables(command: Command): Promise<void> {
  const config = configOf(command, 'maintenance');
  const task = command.opts<{ check?: boolean }>().check ? check : run;
  await withDatabase(config, task).catch((error: unknown) =>
    fail(`weft migrate has failed: ${reasonOf(error)}`),
  );
}

async function withDatabase(config: CommandConfig<'migrate'>, task: Task): Promise<void> {
  const { logger } = createTelemetry(config);
  const database = await openConfiguredDatabase(config, logger);
  try {
    await task(database, logger);
  } finally {
    await database.close();
  }
}

async function run(database: Database, logger: Logger): Promise<void> {
  const names = await bringUpToDate({ database, logger });
  await database.syncToDisk();
  process.stdout.write(names.length > 0 ? `Ran ${names.join(', ')}.\n` : 'The tables are up to date.\n');
}

async function check({ pool }: Database): Promise<void> {
  const state = await schemaState({ pool, directories: MIGRATION_DIRECTORIES });
  process.stdout.write(
    {
      current: 'The tables are up to date.\n',
      behind: 'The tables are behind: run weft migrate.\n',
      ahead: 'The tables are of a newer version of Weft.\n',
    }[state],
  );
  if (state !== 'current') process.exitCode = 1;
}
