import type { Metrics } from '@weft/common';
import type { FastifyInstance } from 'fastify';

const SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10] as const;

/** Counts and times requests by route, never by address: names of documents have no end. */
export function observeRequests(app: FastifyInstance, metrics: Metrics): void {
  const labels = ['method', 'route', 'status'] as const;
  const duration = metrics.histogram(
    'weft_http_request_duration_seconds',
    'Time to answer a request.',
    SECONDS,
    labels,
  );
  app.addHook('onResponse', async (request, reply) => {
    const { method } = request;
    const route = request.routeOptions.url ?? 'none';
    duration.observe(reply.elapsedTime / 1_000, { method, route, status: String(reply.statusCode) });
    request.log.debug({ method, route, status: reply.statusCode, ms: reply.elapsedTime }, 'request');
  });
}
