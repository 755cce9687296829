import { WeftError } from '@weft/common';
import { apiRoutes } from '../api/routes.ts';
import type { Services } from '../services.ts';
import { bareApp, type App } from './bare-app.ts';
import { crossOrigin } from './cross-origin.ts';
import { errorHandler, sendError } from './errors.ts';
import { healthRoutes, type Phase } from './health.ts';
import { observeRequests } from './observe.ts';
import { answerOtherMethods } from './other-methods.ts';
import { addSecurityHeaders } from './security-headers.ts';
import { sendNoSuchPage, staticRoutes } from './static.ts';
import { isWebSocketUpgrade } from './upgrade.ts';

export interface HttpOptions {
  readonly services: Services;
  readonly phase: () => Phase;
}

/** The HTTP side: health, API, pages. It listens to nothing yet, and upgrades are not its business. */
export async function createApp({ services, phase }: HttpOptions): Promise<App> {
  const { config, logger, metrics, refusedOrigins } = services;
  const app = bareApp({ config, logger, metrics, shouldUpgrade: isWebSocketUpgrade });
  app.setErrorHandler(errorHandler(metrics));
  app.setNotFoundHandler(
    (request, reply) => sendNoSuchPage(request, reply) ?? sendError(new WeftError('not-found'), reply),
  );
  addSecurityHeaders(app);
  observeRequests(app, metrics);
  const answerTheRest = answerOtherMethods(app);
  healthRoutes(app, {
    phase,
    metrics,
    health: () => services.health(),
    instance: config.instanceId,
    metricsToken: config.metricsToken,
  });
  await crossOrigin(app, { allowed: config.allowedOrigins, refused: refusedOrigins });
  await app.register(apiRoutes, { services, phase });
  await staticRoutes(app, config.webRoot);
  answerTheRest();
  logger.debug({ routes: app.printRoutes({ commonPrefix: false }) }, 'routes');
  return app;
}
