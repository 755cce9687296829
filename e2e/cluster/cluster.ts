import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  createDatabase,
  FaultProxy,
  findProgram,
  freePort,
  mintToken,
  RestClient,
  startPostgres,
  startRedis,
  startWeft,
  TestProcess,
  until,
  type PostgresServer,
  type RedisServer,
  type TokenClaims,
  type WeftServer,
} from '@weft/harness';
import { afterAll, afterEach, beforeAll } from 'vitest';
import { writeLoadBalancer } from '../../scripts/cluster/load-balancer.ts';

export interface ClusterOptions {
  /** Three, unless said otherwise. */
  readonly instances?: number;
  /** Options of every instance. */
  readonly env?: Readonly<Record<string, string>>;
  /** Settings of Postgres. */
  readonly postgres?: Record<string, string>;
}

/** One server process, and what can be done to its connections. */
export interface Instance {
  /** Its `WEFT_INSTANCE_ID`; again the same when it is started again. */
  readonly name: string;
  readonly server: WeftServer;
  /** Between it and Redis. */
  readonly redis: FaultProxy;
  /** Between it and Postgres. */
  readonly postgres: FaultProxy;
}

/** Servers on one database and one Redis of their own, behind the load balancer that is shipped. */
export interface TestCluster {
  readonly instances: readonly Instance[];
  readonly postgres: PostgresServer;
  readonly redis: RedisServer;
  /** For looking at the database past the instances. */
  readonly databaseUrl: string;
  /** Of the load balancer: round robin, no stickiness. */
  readonly url: string;
  readonly wsUrl: string;
  token(claims: TokenClaims): string;
  /** Speaks REST as that person, with whichever instance the load balancer asks. */
  as(claims: TokenClaims): RestClient;
  /** What each instance said last, except that all is well. */
  logs(): string;
  remove(): Promise<void>;
}

/** Undoes what was begun, the last first. */
class CleanUp {
  private readonly steps: (() => unknown)[] = [];

  add<T>(made: T, undo: (made: T) => unknown): T {
    this.steps.push(() => undo(made));
    return made;
  }

  async run(): Promise<void> {
    for (let step = this.steps.pop(); step; step = this.steps.pop()) await step();
  }
}

export async function startCluster(options: ClusterOptions = {}): Promise<TestCluster> {
  const cleanUp = new CleanUp();
  try {
    return await assemble(options, cleanUp);
  } catch (error) {
    await cleanUp.run();
    throw error;
  }
}

async function assemble(options: ClusterOptions, cleanUp: CleanUp): Promise<TestCluster> {
  const [postgres, redis] = await Promise.all([
    startPostgres(options.postgres).then((server) => cleanUp.add(server, () => server.remove())),
    startRedis().then((server) => cleanUp.add(server, () => server.remove())),
  ]);
  const databaseUrl = await createDatabase(postgres.url);
  const names = 'abcdefgh'.slice(0, options.instances ?? 3).split('');
  const instances = await Promise.all(
    names.map(async (name): Promise<Instance> => {
      const [toRedis, toPostgres] = await Promise.all(
        [redis.port, postgres.port].map(async (port) =>
          cleanUp.add(await FaultProxy.start(port), (proxy) => proxy.close()),
        ),
      );
      if (!toRedis || !toPostgres) throw new Error('A proxy is missing');
      const server = await startWeft({
        databaseUrl: toPostgres.through(databaseUrl),
        redisUrl: toRedis.through(redis.url),
        env: { WEFT_INSTANCE_ID: name, WEFT_TRUSTED_PROXIES: 'loopback', ...options.env },
      });
      cleanUp.add(server, () => server.remove());
      return { name, server, redis: toRedis, postgres: toPostgres };
    }),
  );
  const port = await startLoadBalancer(
    instances.map(({ server }) => server.port),
    cleanUp,
  );
  const url = `http://127.0.0.1:${port}`;
  const token = (claims: TokenClaims) => mintToken(claims);
  return {
    instances,
    postgres,
    redis,
    databaseUrl,
    url,
    wsUrl: `ws://127.0.0.1:${port}/collab`,
    token,
    as: (claims) => new RestClient({ url, token: token(claims) }),
    logs: () => instances.map(lastWords).join('\n'),
    remove: () => cleanUp.run(),
  };
}

/** @returns its port */
async function startLoadBalancer(instances: readonly number[], cleanUp: CleanUp): Promise<number> {
  const program = findProgram('nginx');
  if (!program) throw new Error('No nginx here; run `npm run setup`');
  const directory = cleanUp.add(mkdtempSync(join(tmpdir(), 'weft-nginx-')), (made) =>
    rmSync(made, { recursive: true, force: true }),
  );
  const port = await freePort();
  const configuration = writeLoadBalancer({ directory, port, instances });
  const nginx = new TestProcess('nginx', program, ['-p', directory, '-e', 'stderr', '-c', configuration]);
  cleanUp.add(nginx, () => nginx.end());
  await until(async () => nginx.running && (await fetch(`http://127.0.0.1:${port}/readyz`)).status === 200, {
    timeout: 20_000,
    what: 'the load balancer',
  }).catch((cause: unknown) => {
    throw new Error(`nginx does not serve:\n${nginx.output}`, { cause });
  });
  return port;
}

function lastWords({ name, server }: Instance): string {
  const lines = server.logs.split('\n').filter((line) => !/"level":"(info|debug)"/.test(line));
  const state = server.process.running ? `process ${server.process.pid}` : 'not running';
  return [`── ${name}, ${state}`, ...lines.slice(-20)].join('\n');
}

/** One cluster for all tests of a file; what its instances said is shown when one fails. */
export function clusterOfFile(options: ClusterOptions = {}): () => TestCluster {
  let cluster: TestCluster | undefined;
  const started = () => {
    if (!cluster) throw new Error('The cluster has not been started');
    return cluster;
  };
  beforeAll(async () => {
    cluster = await startCluster(options);
  });
  afterEach(({ task }) => {
    if (task.result?.state === 'fail') console.error(started().logs());
  });
  afterAll(() => cluster?.remove());
  return started;
}

/** Resets the connections of a proxy and lets none through until {@link heal}: both sides know at once. */
export function cutOff(proxy: FaultProxy): void {
  proxy.refusing = true;
  proxy.cut();
}

/** The network is back. What was lost of a stream meanwhile would make nonsense of it, so connections are new. */
export function heal(proxy: FaultProxy): void {
  proxy.cut();
  proxy.setMode('pass');
  proxy.refusing = false;
}
