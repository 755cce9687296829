import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { freePort } from './ports.ts';
import { TestProcess } from './process.ts';
import { findProgram } from './programs.ts';
import { until } from './wait.ts';

/** A real Redis server of this test run, on a free port of loopback. It keeps nothing on disk. */
export interface RedisServer {
  readonly url: string;
  readonly port: number;
  process: TestProcess;
  start(): Promise<void>;
  stop(signal?: NodeJS.Signals): Promise<void>;
  remove(): Promise<void>;
}

export interface RedisSettings {
  /** Keeps the signals of a terminal, which go to all processes of its group, from the server. */
  readonly detached?: boolean;
  /** More of its command line. */
  readonly args?: readonly string[];
  readonly password?: string;
}

export async function startRedis(settings: RedisSettings = {}): Promise<RedisServer> {
  const { detached = false, args: more = [], password } = settings;
  const program = findProgram('redis-server', 'valkey-server');
  if (!program) throw new Error('No Redis server here; run `npm run setup`');
  const directory = mkdtempSync(join(tmpdir(), 'weft-redis-'));
  const port = await freePort();
  const args = [
    '--port',
    String(port),
    '--bind',
    '127.0.0.1',
    '--save',
    '',
    '--appendonly',
    'no',
    '--dir',
    directory,
    ...(password ? ['--requirepass', password, '--masterauth', password] : []),
    ...more,
  ];
  const url = `redis://${password ? `:${password}@` : ''}127.0.0.1:${port}`;
  const server: RedisServer = {
    url,
    port,
    process: new TestProcess('redis', program, args, { detached }),
    async start() {
      if (!server.process.running) server.process = new TestProcess('redis', program, args, { detached });
      await until(() => answers(url), { timeout: 15_000, what: `redis on port ${port}` });
    },
    async stop(signal = 'SIGTERM') {
      await server.process.end(signal);
    },
    async remove() {
      await server.process.end('SIGKILL');
      rmSync(directory, { recursive: true, force: true });
    },
  };
  try {
    await server.start();
  } catch (error) {
    await server.remove();
    throw error;
  }
  return server;
}

async function answers(url: string): Promise<boolean> {
  const client = new Redis(url, { lazyConnect: true, retryStrategy: () => null, maxRetriesPerRequest: 0 });
  client.on('error', () => undefined);
  try {
    await client.connect();
    return (await client.ping()) === 'PONG';
  } finally {
    client.disconnect();
  }
}

/** What an operator would type into `redis-cli`. */
export async function redisCommand(url: string, ...[name = '', ...args]: string[]): Promise<unknown> {
  const client = new Redis(url);
  try {
    return await client.call(name, ...args);
  } finally {
    client.disconnect();
  }
}
