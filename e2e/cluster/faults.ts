import { until } from '@weft/harness';
import { setTimeout as delay } from 'node:timers/promises';
import type { Instance, TestCluster } from './cluster.ts';

/** A fault of this many milliseconds, how long it lasts being what is tested, and what happens meanwhile. */
export async function lasting(milliseconds: number, meanwhile?: () => Promise<void>): Promise<void> {
  await Promise.all([delay(milliseconds), meanwhile?.()]);
}

/** The sum of a metric's values, or of those with this label (`kind="updates"`). */
export async function metricOf({ server }: Instance, name: string, label = ''): Promise<number> {
  const response = await fetch(`${server.url}/metrics`, { signal: AbortSignal.timeout(5_000) });
  const lines = (await response.text()).split('\n').filter((line) => line.startsWith(`${name}{`));
  if (lines.length === 0) throw new Error(`There is no metric ${name}`);
  return lines
    .filter((line) => line.includes(label))
    .reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0);
}

async function untilBackplane(instance: Instance, connected: 0 | 1): Promise<void> {
  await until(async () => (await metricOf(instance, 'weft_backplane_connected')) === connected, {
    timeout: 10_000,
    interval: 200,
    what: `Redis to be ${connected ? 'back' : 'away'} at ${instance.name}`,
  });
}

/** The instances have noticed that Redis is away. */
export async function redisAway(instances: TestCluster['instances']): Promise<void> {
  await Promise.all(instances.map((instance) => untilBackplane(instance, 0)));
}

/** Messages come through again, those about documents included. While people write. */
export async function redisBack(instances: TestCluster['instances']): Promise<void> {
  await Promise.all(instances.map((instance) => untilBackplane(instance, 1)));
  await Promise.all(instances.map(untilMoreRows));
}

async function untilMoreRows(instance: Instance): Promise<void> {
  const received = () => metricOf(instance, 'weft_backplane_received_total', 'kind="updates"');
  const before = await received();
  await until(async () => (await received()) > before, {
    interval: 200,
    what: `rows of others to reach ${instance.name} through Redis`,
  });
}
