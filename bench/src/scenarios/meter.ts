import { Redis } from 'ioredis';
import { cpuSeconds } from '../system.ts';
import type { Stage } from './scenario.ts';

/** What was spent between start and stop. */
export interface Spent {
  readonly wallSeconds: number;
  /** CPU milliseconds of all instances together. */
  readonly serverCpu: number;
  readonly postgresCpu: number;
  readonly redisCpu: number;
}

/** Reads the operating system's accounts now, and again when the returned function is called. */
export function startMeter({ deployment, services }: Stage): () => Spent {
  const read = () => ({
    at: performance.now(),
    server: deployment.instances.reduce((sum, { process }) => sum + cpuSeconds(process.pid), 0),
    postgres: cpuSeconds(services.postgres.process.pid),
    redis: cpuSeconds(services.redis.process.pid),
  });
  const before = read();
  return () => {
    const after = read();
    return {
      wallSeconds: (after.at - before.at) / 1000,
      serverCpu: (after.server - before.server) * 1000,
      postgresCpu: (after.postgres - before.postgres) * 1000,
      redisCpu: (after.redis - before.redis) * 1000,
    };
  };
}

export interface RedisTraffic {
  /** Commands of the servers, without those of this meter. */
  readonly commands: number;
  readonly published: number;
  /** Into and out of Redis. */
  readonly bytes: number;
}

/** Counts what the servers do with Redis, by its own statistics. */
export async function startRedisMeter({ services }: Stage): Promise<() => Promise<RedisTraffic>> {
  const client = new Redis(services.redis.url);
  const read = async () => {
    const stats = await client.info('stats');
    const commands = await client.info('commandstats');
    return {
      bytes: field(stats, 'total_net_input_bytes') + field(stats, 'total_net_output_bytes'),
      commands: field(stats, 'total_commands_processed') - field(commands, 'cmdstat_info:calls', '='),
      published:
        field(commands, 'cmdstat_publish:calls', '=') + field(commands, 'cmdstat_spublish:calls', '='),
    };
  };
  const before = await read();
  return async () => {
    const after = await read();
    client.disconnect();
    return {
      commands: after.commands - before.commands,
      published: after.published - before.published,
      // Reading the statistics itself: two short questions and their answers, some 10 kB, would pass for
      // traffic of a quiet server; what it cost before the second reading is taken off by the caller's
      // comparison of equal readings on both sides.
      bytes: after.bytes - before.bytes,
    };
  };
}

function field(text: string, name: string, separator = ':'): number {
  const at = text.indexOf(`${name}${separator}`);
  if (at < 0) return 0;
  return Number.parseInt(text.slice(at + name.length + 1), 10);
}
