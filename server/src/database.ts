import type { Logger } from '@weft/common';
import { openDatabase, type Database } from '@weft/postgres';
import type { Config } from './config.ts';

/** Milliseconds that the client waits longer than the server, whose refusal says more than a time-out. */
const ANSWER_GRACE = 5_000;

export type DatabaseConfig = Pick<
  Config,
  'databaseUrl' | 'dataDir' | 'databasePool' | 'databaseConnectTimeout' | 'databaseStatementTimeout'
>;

export function openConfiguredDatabase(config: DatabaseConfig, logger: Logger): Promise<Database> {
  return openDatabase({
    url: config.databaseUrl,
    dataDir: config.dataDir,
    logger,
    poolSize: config.databasePool,
    connectTimeoutMs: config.databaseConnectTimeout,
    statementTimeoutMs: config.databaseStatementTimeout,
    queryTimeoutMs: config.databaseStatementTimeout + ANSWER_GRACE,
    onFatal: (error) => {
      logger.error(
        { err: error },
        'the embedded Postgres is gone, and nothing can be saved any more: stopping',
      );
      // Clients are asked to come back, as at any stop; whoever supervises the process starts it afresh.
      process.kill(process.pid, 'SIGTERM');
    },
  });
}
