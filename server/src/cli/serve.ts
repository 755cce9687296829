import { compose } from '../compose.ts';
import { createTelemetry, start, type RunningServer } from '../lifecycle.ts';
import { stopOnSignals, surviveRejections } from '../process.ts';
import type { Config } from '../config.ts';
import { fail } from './fail.ts';
import { reasonOf } from './reason.ts';

export async function serve(config: Config): Promise<void> {
  const telemetry = createTelemetry(config);
  surviveRejections(telemetry.logger, telemetry.metrics);
  for (const warning of config.warnings) telemetry.logger.warn(warning);
  // A signal that comes while it starts ends it at once: nothing has been promised to anybody yet.
  const server = await start(config, { compose, telemetry }).catch((error: unknown) =>
    fail(`weft cannot start: ${reasonOf(error, config)}`),
  );
  stopOnSignals(server);
  announce(server, config);
}

function announce({ logger, url }: RunningServer, config: Config): void {
  const database = config.databaseUrl === undefined ? `PGlite in ${config.dataDir}` : 'Postgres';
  const backplane = config.redisUrl === undefined ? 'single instance' : 'linked by Redis';
  logger.info({ url, database, backplane }, `weft is ready at ${url}`);
  if (!config.development) return;
  logger.warn(
    'development mode: no key for tokens is set, so anybody who reaches this address gets a token from POST /dev/token',
  );
}
