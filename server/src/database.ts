import type { Logger } from '@weft/common';
import { openDatabase, type Database } from '@weft/postgres';
import type { Config } from './config.ts';

/** Milliseconds that the client waits longer than the server, whose refusal says more than a time-out. */
const ANSWER_GRACE = 5_000;

export function openConfiguredDatabase(config: Config, logger: Logger): Promise<Database> {
  return openDatabase({
    url: config.databaseUrl,
    dataDir: config.dataDir,
    logger,
    poolSize: config.databasePool,
    connectTimeoutMs: config.databaseConnectTimeout,
    statementTimeoutMs: config.databaseStatementTimeout,
    queryTimeoutMs: config.databaseStatementTimeout + ANSWER_GRACE,
  });
}
