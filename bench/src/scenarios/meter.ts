import { Redis } from 'ioredis';
import { cpuSeconds, machineCpuSeconds } from '../system.ts';
import type { Stage } from './scenario.ts';

/** What was spent between start and stop. */
export interface Spent {
  readonly wallSeconds: number;
  /** CPU milliseconds of all instances together. */
  readonly serverCpu: number;
  /** Of the one that spent most. */
  readonly busiestCpu: number;
  readonly postgresCpu: number;
  readonly redisCpu: number;
}

/** Cores that others may use in a measured window before the reader is told. */
const TOLERATED_OTHERS = 0.1;

/** Reads the operating system's accounts now, and again when the returned function is called. */
export function startMeter(stage: Stage): () => Spent {
  const before = readAccounts(stage);
  return () => {
    const after = readAccounts(stage);
    const wallSeconds = (after.at - before.at) / 1000;
    const others = (after.machine - before.machine - (after.own - before.own)) / wallSeconds;
    if (others > TOLERATED_OTHERS) stage.note(`other programs used ${others.toFixed(1)} cores meanwhile`);
    const spent = after.servers.map((seconds, index) => seconds - (before.servers[index] ?? 0));
    return {
      wallSeconds,
      serverCpu: spent.reduce((sum, one) => sum + one, 0) * 1000,
      busiestCpu: Math.max(...spent) * 1000,
      postgresCpu: (after.postgres - before.postgres) * 1000,
      redisCpu: (after.redis - before.redis) * 1000,
    };
  };
}

function readAccounts({ deployment, services }: Stage) {
  return {
    at: performance.now(),
    machine: machineCpuSeconds(),
    /** Everything that the benchmark started is its descendant. */
    own: cpuSeconds(process.pid),
    servers: deployment.instances.map((instance) => cpuSeconds(instance.process.pid)),
    postgres: cpuSeconds(services.postgres.process.pid),
    redis: cpuSeconds(services.redis.process.pid),
  };
}

export interface RedisTraffic {
  /** Commands of the servers, without those of this meter. */
  readonly commands: number;
  readonly published: number;
  /** Into and out of Redis. */
  readonly bytes: number;
}

/** Counts what the servers do with Redis, by its own statistics, less what reading those costs. */
export async function startRedisMeter({ services }: Stage): Promise<() => Promise<RedisTraffic>> {
  const client = new Redis(services.redis.url);
  const first = await readStatistics(client);
  const before = await readStatistics(client);
  return async () => {
    const after = await readStatistics(client);
    client.disconnect();
    return {
      commands: after.commands - before.commands,
      published: after.published - before.published,
      // Some 10 kB, which would pass for the traffic of a quiet server.
      bytes: after.bytes - before.bytes - (before.bytes - first.bytes),
    };
  };
}

async function readStatistics(client: Redis): Promise<RedisTraffic> {
  const stats = await client.info('stats');
  const commands = await client.info('commandstats');
  return {
    bytes: field(stats, 'total_net_input_bytes') + field(stats, 'total_net_output_bytes'),
    commands: field(stats, 'total_commands_processed') - field(commands, 'cmdstat_info:calls', '='),
    published: field(commands, 'cmdstat_publish:calls', '=') + field(commands, 'cmdstat_spublish:calls', '='),
  };
}

function field(text: string, name: string, separator = ':'): number {
  const at = text.indexOf(`${name}${separator}`);
  if (at < 0) return 0;
  return Number.parseInt(text.slice(at + name.length + 1), 10);
}
