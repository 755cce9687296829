import { createCompactor } from '../compaction.ts';
import { openConfiguredDatabase } from '../database.ts';
import { createWorkerApp } from '../http/worker-app.ts';
import { createTelemetry } from '../lifecycle.ts';
import { stopOnSignals, surviveRejections } from '../process.ts';
import { prepareSchema } from '../schema.ts';
import type { HealthReport } from '../services.ts';
import type { CommandConfig } from './command-options.ts';
import { fail } from './fail.ts';
import { reasonOf } from './reason.ts';

/** Compaction and nothing else. Any number of workers may run: locks keep two off the same document. */
export async function work(config: CommandConfig<'worker'>): Promise<void> {
  const { logger, metrics } = createTelemetry(config);
  surviveRejections(logger, metrics);
  const cannotStart = (error: unknown): never =>
    fail(`weft worker cannot start: ${reasonOf(error, { ...config, port: config.workerPort })}`);
  const database = await openConfiguredDatabase(config, logger).catch(cannotStart);
  await prepareSchema({ config, database, logger }).catch(cannotStart);
  const compactor = createCompactor({ config, database, logger, metrics });
  const app = createWorkerApp({ config, logger, metrics, health: () => healthOf(compactor) });
  if (config.workerPort !== undefined) {
    await app.listen({ host: config.host, port: config.workerPort }).catch(cannotStart);
  }
  await compactor.start();
  // The compactor's timers keep no process alive, and without a port nothing else does once the pool is idle.
  const alive = setInterval(() => undefined, config.compactionInterval);
  stopOnSignals({
    logger,
    stop: async () => {
      clearInterval(alive);
      await compactor.stop();
      await app.close();
      await database.close();
      return true;
    },
  });
  logger.info({ interval: config.compactionInterval }, 'weft worker is compacting');
}

function healthOf({ failing }: { readonly failing: boolean }): HealthReport {
  const status = failing ? 'degraded' : 'ok';
  const reason = failing ? { reason: 'the last look at the documents failed' } : {};
  return { status, checks: { compaction: { status, ...reason } } };
}
