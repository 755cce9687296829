import { AuditLog } from '@weft/audit';
import { SYSTEM_ACTOR } from '@weft/common';
import { schemaState } from '@weft/postgres';
import { renewEpochs } from '@weft/update-log';
import type { Command } from 'commander';
import type pg from 'pg';
import { openConfiguredDatabase } from '../database.ts';
import { createTelemetry } from '../lifecycle.ts';
import { MIGRATION_DIRECTORIES } from '../migrations.ts';
import type { CommandConfig } from './command-options.ts';
import { fail } from './fail.ts';
import { configOf } from './options.ts';
import { reasonOf } from './reason.ts';

/** The step of a restore that only the program can do: tells all readers that the numbers count another history. */
export async function renewAllEpochs(command: Command): Promise<void> {
  const config = configOf(command, 'maintenance');
  const documents = await renew(config).catch((error: unknown) =>
    fail(`weft renew-epochs has failed: ${reasonOf(error)}`),
  );
  if (documents === undefined) fail('The tables are not of this version. Run weft migrate first.');
  process.stdout.write(
    `Documents with a new epoch: ${documents}. Instances that run load them again within a second or so.\n`,
  );
}

/** @returns how many documents, or `undefined` when the tables are not of this version. */
async function renew(config: CommandConfig<'renew-epochs'>): Promise<number | undefined> {
  const { logger } = createTelemetry(config);
  const database = await openConfiguredDatabase(config, logger);
  try {
    const { pool } = database;
    const state = await schemaState({ pool, directories: MIGRATION_DIRECTORIES });
    if (state !== 'current') return undefined;
    const audit = new AuditLog({ pool });
    const documents = await renewEpochs(pool, { alongside: (tx) => recordRenewal(audit, tx) });
    await database.syncToDisk();
    return documents;
  } finally {
    await database.close();
  }
}

/** An entry for each tenant: nobody sees another's. */
async function recordRenewal(audit: AuditLog, tx: pg.PoolClient): Promise<void> {
  const { rows } = await tx.query<{ tenant: string; documents: string }>(
    'SELECT tenant, count(*) AS documents FROM documents GROUP BY tenant ORDER BY tenant',
  );
  for (const { tenant, documents } of rows) {
    const detail = { documents: Number(documents) };
    await audit.recordIn(tx, { tenant, action: 'epochs.renew', actor: SYSTEM_ACTOR, detail });
  }
}
