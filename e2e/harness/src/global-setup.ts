import type { TestProject } from 'vitest/node';
import { startPostgres } from './postgres.ts';
import { startRedis } from './redis.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** URL of the run's Postgres (maintenance database); make your own with `createDatabase`. */
    postgresUrl: string;
    /** URL of the run's Redis; use a key prefix or channel names of your own. */
    redisUrl: string;
  }
}

/** One Postgres and one Redis for all tests of a run. Tests that break a server start their own. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const [postgres, redis] = await Promise.all([startPostgres(), startRedis()]);
  project.provide('postgresUrl', postgres.url);
  project.provide('redisUrl', redis.url);
  return async () => {
    await Promise.all([postgres.remove(), redis.remove()]);
  };
}
