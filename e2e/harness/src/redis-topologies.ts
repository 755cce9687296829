import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { freePort } from './ports.ts';
import { TestProcess } from './process.ts';
import { findProgram } from './programs.ts';
import { redisCommand, startRedis, type RedisServer } from './redis.ts';
import { until } from './wait.ts';

const run = promisify(execFile);

/** A master, a replica, and a sentinel that makes the one the other when it dies. */
export interface WatchedRedis {
  /** The name by which the sentinel knows them. */
  readonly name: string;
  readonly sentinel: { readonly host: string; readonly port: number };
  readonly master: RedisServer;
  readonly replica: RedisServer;
  /** Resolves when the replica is master. */
  replicaTakesOver(): Promise<unknown>;
  remove(): Promise<void>;
}

export async function startWatchedRedis(password: string): Promise<WatchedRedis> {
  const master = await startRedis({ password });
  const replica = await startRedis({ password, args: ['--replicaof', `127.0.0.1 ${master.port}`] });
  const synchronized = async () =>
    String(await redisCommand(replica.url, 'INFO', 'replication')).includes('master_link_status:up');
  await until(synchronized, { what: 'the replica to follow' });
  const directory = mkdtempSync(join(tmpdir(), 'weft-sentinel-'));
  const port = await freePort();
  const file = join(directory, 'sentinel.conf');
  writeFileSync(
    file,
    [
      `port ${port}`,
      'bind 127.0.0.1',
      `dir ${directory}`,
      `sentinel monitor watched 127.0.0.1 ${master.port} 1`,
      `sentinel auth-pass watched ${password}`,
      'sentinel down-after-milliseconds watched 1000',
      'sentinel failover-timeout watched 10000',
    ].join('\n'),
  );
  const sentinel = new TestProcess('sentinel', program(), [file, '--sentinel']);
  const url = `redis://127.0.0.1:${port}`;
  const knowsReplica = async () =>
    ((await redisCommand(url, 'SENTINEL', 'REPLICAS', 'watched')) as unknown[]).length === 1;
  await until(async () => sentinel.output.includes('+monitor') && (await knowsReplica()), {
    timeout: 30_000,
    interval: 200,
    what: 'the sentinel to know the replica',
  });
  return {
    name: 'watched',
    sentinel: { host: '127.0.0.1', port },
    master,
    replica,
    replicaTakesOver: () =>
      until(async () => String(await redisCommand(replica.url, 'ROLE')).startsWith('master'), {
        timeout: 20_000,
        interval: 200,
        what: 'the replica to take over',
      }),
    async remove() {
      await Promise.all([sentinel.end('SIGKILL'), master.remove(), replica.remove()]);
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

/** A Redis that also answers encrypted, with a certificate for `localhost`. */
export interface EncryptedRedis {
  readonly server: RedisServer;
  readonly tlsPort: number;
  /** Whom to trust for it: a file for `NODE_EXTRA_CA_CERTS`. */
  readonly certificate: string;
  remove(): Promise<void>;
}

export async function startEncryptedRedis(password: string): Promise<EncryptedRedis> {
  const openssl = findProgram('openssl');
  if (!openssl) throw new Error('No openssl here; run `npm run setup`');
  const directory = mkdtempSync(join(tmpdir(), 'weft-certificate-'));
  const [key, certificate] = [join(directory, 'key.pem'), join(directory, 'certificate.pem')];
  const made = [
    'req',
    '-x509',
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:prime256v1',
    '-nodes',
    '-days',
    '2',
  ];
  const named = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost'];
  await run(openssl, [...made, ...named, '-keyout', key, '-out', certificate]);
  const tlsPort = await freePort();
  const files = ['--tls-cert-file', certificate, '--tls-key-file', key, '--tls-ca-cert-file', certificate];
  const args = ['--tls-port', String(tlsPort), '--tls-auth-clients', 'no', ...files];
  const server = await startRedis({ password, args });
  return {
    server,
    tlsPort,
    certificate,
    async remove() {
      await server.remove();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

/** Three masters that share the slots. */
export interface RedisCluster {
  readonly nodes: readonly RedisServer[];
  /** Resolves when every node sees all of them. */
  whole(): Promise<unknown>;
  remove(): Promise<void>;
}

export async function startRedisCluster(password: string): Promise<RedisCluster> {
  const args = [
    '--cluster-enabled',
    'yes',
    '--cluster-node-timeout',
    '2000',
    '--cluster-require-full-coverage',
    'no',
  ];
  const start = async () => startRedis({ password, args, port: await freeClusterPort() });
  const nodes = await Promise.all(['a', 'b', 'c'].map(start));
  const cli = findProgram('redis-cli', 'valkey-cli');
  if (!cli) throw new Error('No redis-cli here; run `npm run setup`');
  const addresses = nodes.map(({ port }) => `127.0.0.1:${port}`);
  await run(cli, ['-a', password, '--no-auth-warning', '--cluster', 'create', ...addresses, '--cluster-yes']);
  const seesAll = async ({ url }: RedisServer) => {
    const info = String(await redisCommand(url, 'CLUSTER', 'INFO'));
    return info.includes('cluster_state:ok') && info.includes('cluster_slots_ok:16384');
  };
  const whole = () =>
    until(async () => (await Promise.all(nodes.map(seesAll))).every(Boolean), {
      timeout: 30_000,
      interval: 200,
      what: 'the nodes to be a cluster',
    });
  await whole();
  return {
    nodes,
    whole,
    remove: async () => {
      await Promise.all(nodes.map((node) => node.remove()));
    },
  };
}

/** The nodes speak with each other at a port 10,000 above. */
async function freeClusterPort(): Promise<number> {
  for (;;) {
    const port = await freePort();
    if (port + 10_000 < 65_536) return port;
  }
}

function program(): string {
  const found = findProgram('redis-server', 'valkey-server');
  if (!found) throw new Error('No Redis server here; run `npm run setup`');
  return found;
}
