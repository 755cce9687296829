import { expect, test } from 'vitest';
import { duration, healthOf, latency, type Instance } from './cluster.ts';

const instance = (id: string, more: Partial<Instance> = {}): Instance => ({
  id,
  version: '1.0.0',
  state: 'ready',
  age: 300,
  startedAt: 0,
  redis: 'connected',
  connections: 0,
  sessions: 0,
  documents: 0,
  updatesPerSecond: 0,
  commitP50: null,
  commitP99: null,
  lag: 0,
  cpu: 0,
  memoryBytes: 0,
  ...more,
});
const health = (...instances: Instance[]) =>
  healthOf({ redis: 'connected', instances, documents: [], more: 0 });

test('P8.8 the page says the worst there is, and what people feel of it', () => {
  expect(health(instance('a'), instance('b')).tone).toBe('good');
  expect(health(instance('a'), instance('b', { state: 'draining' })).words).toMatch(/^b is draining/);
  expect(health(instance('a', { redis: 'away' }), instance('b')).words).toMatch(/^Redis is away/);
  expect(health(instance('a', { redis: 'away' }), instance('b', { state: 'silent' })).words).toMatch(
    /^Nothing is heard from b/,
  );
  expect(
    health(instance('a', { state: 'degraded' }), instance('b', { state: 'silent' }), instance('c')).words,
  ).toMatch(/^The database takes nothing from a\./);
});

test('P8.8 times are readable', () => {
  expect([5_000, 125_000, 7_500_000, 200_000_000].map(duration)).toEqual([
    '5 s',
    '2 min',
    '2 h 5 min',
    '2 d',
  ]);
  expect([null, 0.84, 12.3, 1_250].map(latency)).toEqual(['–', '0.8 ms', '12 ms', '1.3 s']);
});
