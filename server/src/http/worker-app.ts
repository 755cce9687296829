import { WeftError } from '@weft/common';
import type { Config } from '../config.ts';
import type { Services } from '../services.ts';
import { bareApp, type App } from './bare-app.ts';
import { errorHandler, sendError } from './errors.ts';
import { healthRoutes } from './health.ts';
import { addSecurityHeaders } from './security-headers.ts';

export interface WorkerAppOptions extends Pick<Services, 'logger' | 'metrics' | 'health'> {
  readonly config: Pick<Config, 'trustedProxies' | 'instanceId' | 'metricsToken'>;
}

/** What probes and Prometheus ask a worker, which serves nothing else. It listens to nothing yet. */
export function createWorkerApp({ config, logger, metrics, health }: WorkerAppOptions): App {
  const app = bareApp({ config, logger, metrics });
  app.setErrorHandler(errorHandler(metrics));
  app.setNotFoundHandler((_request, reply) => sendError(new WeftError('not-found'), reply));
  addSecurityHeaders(app);
  const { instanceId: instance, metricsToken } = config;
  healthRoutes(app, { phase: () => 'ready', health, instance, metrics, metricsToken });
  return app;
}
