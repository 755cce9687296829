import { WeftError } from '@weft/common';
import fastify, { type FastifyInstance } from 'fastify';
import { beforeEach, describe, expect, test } from 'vitest';
import type { HealthReport } from '../services.ts';
import { createMetrics, type PrometheusMetrics } from '../telemetry/metrics.ts';
import { errorHandler } from './errors.ts';
import { healthRoutes, type Phase } from './health.ts';

let app: FastifyInstance;
let phase: Phase;
let health: HealthReport;
let metrics: PrometheusMetrics;

beforeEach(() => {
  phase = 'ready';
  health = { status: 'ok', checks: { log: { status: 'ok' } } };
  metrics = createMetrics({ instance: 'a' });
  app = appWith(undefined);
});

function appWith(metricsToken: string | undefined): FastifyInstance {
  const made = fastify();
  made.setErrorHandler(errorHandler(metrics));
  healthRoutes(made, { phase: () => phase, health: () => health, instance: 'a', metrics, metricsToken });
  return made;
}

describe('P8.2 the probes', () => {
  test.each(['starting', 'draining', 'stopped'] as const)(
    'P8.2 while %s it is alive and not ready',
    async (now) => {
      phase = now;
      expect((await app.inject('/healthz')).statusCode).toBe(200);
      const answer = await app.inject('/readyz');
      expect(answer.statusCode).toBe(503);
      expect(answer.json()).toMatchObject({ status: now, instance: 'a' });
    },
  );

  test('P8.2 failing, it is not ready and says why', async () => {
    health = { status: 'failing', checks: { database: { status: 'failing', reason: 'it is gone' } } };
    const answer = await app.inject('/readyz');
    expect(answer.statusCode).toBe(503);
    expect(answer.json()).toMatchObject({
      status: 'failing',
      checks: { database: { reason: 'it is gone' } },
    });
  });

  test('P1.16 degraded, it takes traffic and says so', async () => {
    health = { status: 'degraded', checks: { log: { status: 'degraded', reason: 'away' } } };
    const answer = await app.inject('/readyz');
    expect(answer.statusCode).toBe(200);
    expect(answer.json()).toMatchObject({ status: 'degraded', checks: { log: { reason: 'away' } } });
  });
});

describe('metrics', () => {
  test('are in the Prometheus format, with the instance', async () => {
    metrics.counter('weft_test_total', 'Counts.', ['kind']).inc({ kind: 'x' }, 2);
    metrics.gauge('weft_test', 'Goes up and down.').set(3);
    metrics.histogram('weft_test_seconds', 'A distribution.', [0.1, 1]).observe(0.5);
    metrics.gaugeOf('weft_test_read', 'Read when asked.', () => 4);
    const { body, headers } = await app.inject('/metrics');
    expect(headers['content-type']).toContain('text/plain');
    expect(body).toContain('weft_test_total{kind="x",instance_id="a"} 2');
    expect(body).toContain('weft_test{instance_id="a"} 3');
    expect(body).toContain('weft_test_seconds_bucket{le="1",instance_id="a"} 1');
    expect(body).toContain('weft_test_read{instance_id="a"} 4');
    expect(body).toContain('process_cpu_seconds_total');
  });

  test('asked for twice by one name are the same series, and of one kind', () => {
    metrics.counter('weft_twice_total', 'Counts.').inc();
    expect(() => metrics.counter('weft_twice_total', 'Counts.').inc()).not.toThrow();
    expect(() => metrics.gauge('weft_twice_total', 'Counts.')).toThrow('exists as something else');
  });

  test('can be kept behind a token', async () => {
    const guarded = appWith('open sesame');
    const ask = (authorization?: string) =>
      guarded.inject({ url: '/metrics', headers: authorization ? { authorization } : {} });
    expect((await ask()).json()).toMatchObject({ error: { code: 'token-missing' } });
    expect((await ask('Bearer open says me')).statusCode).toBe(401);
    expect((await ask('Bearer open sesame')).statusCode).toBe(200);
  });
});

test('P1.16 a refusal that passes says when to come back, and no other does', async () => {
  app.get('/away', () => {
    throw new WeftError('log-unavailable');
  });
  app.get('/gone', () => {
    throw new WeftError('document-not-found');
  });
  const [away, gone] = [await app.inject('/away'), await app.inject('/gone')];
  expect([away.statusCode, away.headers['retry-after']]).toEqual([503, '1']);
  expect([gone.statusCode, gone.headers['retry-after']]).toEqual([404, undefined]);
});
