import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Certificate } from './certificate.ts';
import { freePort } from './ports.ts';
import { TestProcess } from './process.ts';
import { findProgram } from './programs.ts';
import { redisCommand, startRedis, type RedisServer } from './redis.ts';
import { startAll } from './start-all.ts';
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

/** With a certificate all of them also answer encrypted, and speak so with each other. */
export async function startWatchedRedis(password: string, certificate?: Certificate): Promise<WatchedRedis> {
  const ports = { master: await freePort(), replica: await freePort(), sentinel: await freePort() };
  const master = await startRedis({ password, args: linkedBy(certificate, ports.master) });
  const masterPort = certificate ? ports.master : master.port;
  const follows = ['--replicaof', `localhost ${masterPort}`, '--replica-announce-ip', 'localhost'];
  const replica = await startRedis({ password, args: [...linkedBy(certificate, ports.replica), ...follows] });
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
      `requirepass ${password}`,
      `dir ${directory}`,
      'sentinel resolve-hostnames yes',
      'sentinel announce-hostnames yes',
      `sentinel monitor watched localhost ${masterPort} 1`,
      `sentinel auth-pass watched ${password}`,
      'sentinel down-after-milliseconds watched 1000',
      'sentinel failover-timeout watched 10000',
    ].join('\n'),
  );
  const args = [file, '--sentinel', ...linkedBy(certificate, ports.sentinel)];
  const sentinel = new TestProcess('sentinel', program(), args);
  const url = `redis://:${password}@127.0.0.1:${port}`;
  const knowsReplica = async () =>
    ((await redisCommand(url, 'SENTINEL', 'REPLICAS', 'watched')) as unknown[]).length === 1;
  await until(async () => sentinel.output.includes('+monitor') && (await knowsReplica()), {
    timeout: 30_000,
    interval: 200,
    what: 'the sentinel to know the replica',
  });
  return {
    name: 'watched',
    sentinel: { host: 'localhost', port: certificate ? ports.sentinel : port },
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

/** A Redis that also answers encrypted. */
export interface EncryptedRedis {
  readonly server: RedisServer;
  readonly tlsPort: number;
  remove(): Promise<void>;
}

export async function startEncryptedRedis(
  password: string,
  certificate: Certificate,
): Promise<EncryptedRedis> {
  const tlsPort = await freePort();
  const server = await startRedis({ password, args: encrypted(certificate, tlsPort) });
  return { server, tlsPort, remove: () => server.remove() };
}

/** Redis and its like speak encrypted with each other, if there is a certificate. */
function linkedBy(certificate: Certificate | undefined, tlsPort: number): string[] {
  return certificate ? [...encrypted(certificate, tlsPort), '--tls-replication', 'yes'] : [];
}

/** Redis answers in the clear at its own port as well: the tests themselves speak to it there. */
function encrypted({ file, keyFile }: Certificate, tlsPort: number): string[] {
  const files = ['--tls-cert-file', file, '--tls-key-file', keyFile, '--tls-ca-cert-file', file];
  return ['--tls-port', String(tlsPort), '--tls-auth-clients', 'no', ...files];
}

/** Three masters that share the slots. */
export interface RedisCluster {
  readonly nodes: readonly RedisServer[];
  /** Where clients find one of them. */
  readonly port: number;
  /** Resolves when every node sees all of them. */
  whole(): Promise<unknown>;
  remove(): Promise<void>;
}

/** With a certificate the nodes also answer encrypted, and speak so with each other. */
export async function startRedisCluster(password: string, certificate?: Certificate): Promise<RedisCluster> {
  const cli = findProgram('redis-cli', 'valkey-cli');
  if (!cli) throw new Error('No redis-cli here; run `npm run setup`');
  const enabled = ['--cluster-enabled', 'yes', '--cluster-node-timeout', '2000'];
  // By name: that is what a certificate is made out to.
  const named = ['--cluster-announce-hostname', 'localhost', '--cluster-preferred-endpoint-type', 'hostname'];
  const start = async () => {
    const tlsPort = await freePort();
    const tls = certificate ? [...linkedBy(certificate, tlsPort), '--tls-cluster', 'yes', ...named] : [];
    // The nodes' own: else it is one that systems give to outgoing connections, and may be taken.
    const between = ['--cluster-port', String(await freePort())];
    const args = [...enabled, '--cluster-require-full-coverage', 'no', ...between, ...tls];
    const server = await startRedis({ password, args });
    return { server, port: certificate ? tlsPort : server.port };
  };
  const started = await startAll(['a', 'b', 'c'].map(start), ({ server }) => server.remove());
  const nodes = started.map(({ server }) => server);
  const remove = async () => void (await Promise.all(nodes.map((node) => node.remove())));
  const link = async () => {
    const addresses = started.map(({ port }) => `127.0.0.1:${port}`);
    const trusting = certificate ? ['--tls', '--insecure'] : [];
    const create = ['--cluster', 'create', ...addresses, '--cluster-yes'];
    await run(cli, [...trusting, '-a', password, '--no-auth-warning', ...create]);
  };
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
  try {
    await link();
    await whole();
  } catch (error) {
    await remove();
    throw error;
  }
  return { nodes, port: started[0]?.port ?? 0, whole, remove };
}

function program(): string {
  const found = findProgram('redis-server', 'valkey-server');
  if (!found) throw new Error('No Redis server here; run `npm run setup`');
  return found;
}
