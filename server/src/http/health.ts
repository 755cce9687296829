import { timingSafeEqual, createHash } from 'node:crypto';
import { WeftError } from '@weft/common';
import type { FastifyInstance } from 'fastify';
import type { HealthReport } from '../services.ts';
import type { PrometheusMetrics } from '../telemetry/metrics.ts';

export type Phase = 'starting' | 'ready' | 'draining' | 'stopped';

export interface HealthOptions {
  readonly phase: () => Phase;
  readonly health: () => HealthReport;
  readonly instance: string;
  readonly metrics: PrometheusMetrics;
  readonly metricsToken: string | undefined;
}

/**
 * `degraded` still takes traffic. When the database is away it is away for all instances: taking them all out
 * of the load balancer would end the editing that goes on in memory, and help nobody.
 */
function readiness({ phase, health, instance }: HealthOptions) {
  const now = phase();
  if (now !== 'ready') return { ready: false, body: { status: now, instance, checks: {} } };
  const report = health();
  return {
    ready: report.status !== 'failing',
    body: { status: report.status, instance, checks: report.checks },
  };
}

export function healthRoutes(app: FastifyInstance, options: HealthOptions): void {
  // Alive is whoever answers. What else is wrong, a restart would not repair.
  app.get('/healthz', { schema: { hide: true } }, async (_request, reply) =>
    reply.header('cache-control', 'no-store').send({ status: 'ok' }),
  );

  app.get('/readyz', { schema: { hide: true } }, async (_request, reply) => {
    const { ready, body } = readiness(options);
    return reply
      .code(ready ? 200 : 503)
      .header('cache-control', 'no-store')
      .send(body);
  });

  app.get('/metrics', { schema: { hide: true } }, async (request, reply) => {
    checkMetricsToken(request.headers.authorization, options.metricsToken);
    const { contentType, body } = await options.metrics.exposition();
    return reply.header('cache-control', 'no-store').type(contentType).send(body);
  });
}

const digest = (text: string) => createHash('sha256').update(text).digest();

function checkMetricsToken(authorization: string | undefined, expected: string | undefined): void {
  if (expected === undefined) return;
  if (authorization === undefined) throw new WeftError('token-missing');
  // Digests have one length, which timingSafeEqual needs and which hides the token's.
  if (!timingSafeEqual(digest(authorization), digest(`Bearer ${expected}`)))
    throw new WeftError('token-invalid');
}
