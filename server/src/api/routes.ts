import rateLimit from '@fastify/rate-limit';
import swagger, { type FastifyDynamicSwaggerOptions } from '@fastify/swagger';
import { WeftError } from '@weft/common';
import type { App } from '../http/bare-app.ts';
import { authenticate } from '../http/authenticate.ts';
import type { Phase } from '../http/health.ts';
import type { Services } from '../services.ts';
import { auditRoutes } from './audit.ts';
import { clusterRoutes } from './cluster.ts';
import type { ApiContext } from './context.ts';
import { developmentRoutes } from './development.ts';
import { documentRoutes } from './documents.ts';
import { grantRoutes } from './grants.ts';
import { permissionChangeRoutes } from './permission-changes.ts';
import { presenceRoutes } from './presence.ts';
import { roleRoutes } from './roles.ts';
import { updateRoutes } from './updates.ts';

export interface ApiOptions {
  readonly services: Services;
  readonly phase: () => Phase;
}

/** Everything below `/v1`, and `/dev` in development mode. */
export async function apiRoutes(app: App, { services, phase }: ApiOptions): Promise<void> {
  app.addHook('onRequest', async () => refuseUnlessReady(phase()));
  await app.register(rateLimit, {
    max: services.config.requestRate,
    timeWindow: '1 minute',
    errorResponseBuilder: () => new WeftError('rate-limited'),
  });
  await app.register(swagger, OPENAPI);
  app.get('/v1/openapi.json', { schema: { hide: true } }, async () => app.swagger());
  if (services.config.development) developmentRoutes(app, services);
  await app.register(authenticatedRoutes, { prefix: '/v1', services });
}

async function authenticatedRoutes(app: App, { services }: Pick<ApiOptions, 'services'>): Promise<void> {
  const context = { services, administration: services.administration } satisfies ApiContext;
  app.addHook('onRequest', (request) => authenticate(request, services.verifier));
  app.addHook('onSend', async (_request, reply) => {
    if (!reply.hasHeader('cache-control')) reply.header('cache-control', 'no-store');
  });
  documentRoutes(app, context);
  updateRoutes(app, context);
  presenceRoutes(app, context);
  grantRoutes(app, context);
  permissionChangeRoutes(app, context);
  roleRoutes(app, context);
  auditRoutes(app, context);
  clusterRoutes(app, context);
}

function refuseUnlessReady(phase: Phase): void {
  if (phase === 'starting') throw new WeftError('server-starting');
  if (phase !== 'ready') throw new WeftError('server-draining');
}

const OPENAPI: FastifyDynamicSwaggerOptions = {
  transformObject: (described) => {
    if (!('openapiObject' in described)) return described.swaggerObject;
    const { paths } = described.openapiObject;
    // A document needs no settings. The generator says of every body that it must be there.
    const body = paths?.['/v1/documents/{name}']?.put?.requestBody;
    if (body && 'content' in body) body.required = false;
    return described.openapiObject;
  },
  openapi: {
    openapi: '3.1.0',
    info: {
      title: 'Weft',
      version: '1',
      description:
        'Documents, their history and who may do what. Editing itself goes over the WebSocket /collab.',
    },
    components: {
      securitySchemes: { token: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' } },
    },
    security: [{ token: [] }],
  },
};
