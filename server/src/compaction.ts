import type { Logger, Metrics } from '@weft/common';
import type { Database } from '@weft/postgres';
import { Compactor } from '@weft/update-log';
import type { Config } from './config.ts';

export interface CompactionOptions {
  readonly config: Pick<Config, 'compactionInterval' | 'compactionRows' | 'retention'>;
  readonly database: Pick<Database, 'pool'>;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

/** The same for an instance that compacts beside its other work and for a worker that does nothing else. */
export function createCompactor({ config, database, logger, metrics }: CompactionOptions): Compactor {
  const { compactionInterval, compactionRows, retention } = config;
  return new Compactor({
    pool: database.pool,
    logger,
    metrics,
    intervalMs: compactionInterval,
    minRows: compactionRows,
    retention: retention === Infinity ? {} : { ms: retention },
  });
}
