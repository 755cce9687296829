import { createCompactor } from '../compaction.ts';
import { openConfiguredDatabase } from '../database.ts';
import { Housekeeping } from '../housekeeping.ts';
import { createWorkerApp } from '../http/worker-app.ts';
import { createTelemetry } from '../lifecycle.ts';
import { stopOnSignals, surviveRejections } from '../process.ts';
import { prepareSchema } from '../schema.ts';
import type { Check, HealthReport } from '../services.ts';
import type { CommandConfig } from './command-options.ts';
import { fail } from './fail.ts';
import { reasonOf } from './reason.ts';

/** Compaction and housekeeping. Any number of workers may run: locks keep two off the same document and the same rows. */
export async function work(config: CommandConfig<'worker'>): Promise<void> {
  const { logger, metrics } = createTelemetry(config);
  surviveRejections(logger, metrics);
  const cannotStart = (error: unknown): never =>
    fail(`weft worker cannot start: ${reasonOf(error, { ...config, port: config.workerPort })}`);
  const database = await openConfiguredDatabase(config, logger).catch(cannotStart);
  await prepareSchema({ config, database, logger }).catch(cannotStart);
  const upkeep = { config, database, logger, metrics };
  const compactor = createCompactor(upkeep);
  const housekeeping = new Housekeeping(upkeep);
  const app = createWorkerApp({
    config,
    logger,
    metrics,
    health: () => healthOf({ compaction: compactor, housekeeping }),
  });
  if (config.workerPort !== undefined) {
    await app.listen({ host: config.host, port: config.workerPort }).catch(cannotStart);
  }
  await compactor.start();
  await housekeeping.start();
  // Their timers keep no process alive, and without a port nothing else does once the pool is idle.
  const alive = setInterval(() => undefined, config.compactionInterval);
  stopOnSignals({
    logger,
    stop: async () => {
      clearInterval(alive);
      await Promise.all([compactor.stop(), housekeeping.stop()]);
      await app.close();
      await database.close();
      return true;
    },
  });
  logger.info({ interval: config.compactionInterval }, 'weft worker is compacting');
}

function healthOf(parts: Readonly<Record<string, { readonly failing: boolean }>>): HealthReport {
  const checks = Object.entries(parts).map(([name, { failing }]): [string, Check] => [
    name,
    failing ? { status: 'degraded', reason: 'the last look could not be finished' } : { status: 'ok' },
  ]);
  const failing = Object.values(parts).some((part) => part.failing);
  return { status: failing ? 'degraded' : 'ok', checks: Object.fromEntries(checks) };
}
