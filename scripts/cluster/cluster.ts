import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import {
  findProgram,
  freePort,
  programArguments,
  startPostgres,
  startRedis,
  until,
  type PostgresServer,
  type RedisServer,
} from '@weft/harness';
import { writeLoadBalancer } from './load-balancer.ts';
import { ProcessMember, type Member } from './member.ts';

export interface ClusterOptions {
  /** Of the load balancer. */
  readonly port: number;
  readonly instances: readonly string[];
  /** Start what ends by itself again. */
  readonly restart: boolean;
  /** Tells the person at the terminal. */
  readonly say: (line: string) => void;
}

const RESTART_DELAY_MS = 1_000;
const START_TIMEOUT_MS = 90_000;

/** Everything of a local cluster, and what started it. Nothing of it is left when `stop` is done. */
export class Cluster {
  readonly directory = mkdtempSync(join(tmpdir(), 'weft-cluster-'));
  readonly members = new Map<string, Member>();
  private readonly options: ClusterOptions;
  private postgres: PostgresServer | undefined;
  private redis: RedisServer | undefined;
  private stopping: Promise<void> | undefined;

  constructor(options: ClusterOptions) {
    this.options = options;
  }

  get url(): string {
    return `http://localhost:${this.options.port}`;
  }

  async start(): Promise<void> {
    mkdirSync(join(this.directory, 'log'));
    // Synced to disk, unlike in tests: the figures on the status page are those of a real commit.
    const [postgres, redis] = await Promise.all([
      startPostgres({ fsync: 'on' }, { detached: true }).then((server) => (this.postgres = server)),
      startRedis({ detached: true }).then((server) => (this.redis = server)),
    ]);
    this.add(serviceMember('postgres', 'Postgres', postgres));
    this.add(serviceMember('redis', 'Redis', redis));
    await promisify(execFile)(process.execPath, [...programArguments(), 'migrate'], {
      env: this.environment(),
      cwd: this.directory,
    });
    const ports = await Promise.all(this.options.instances.map(() => freePort()));
    const instances = this.options.instances.map((name, index) => this.instance(name, ports[index] ?? 0));
    await Promise.all([...instances, this.worker()].map((member) => member.start()));
    await this.loadBalancer(ports).start();
  }

  stop(): Promise<void> {
    this.stopping ??= this.stopAll();
    return this.stopping;
  }

  private async stopAll(): Promise<void> {
    const weft = [...this.members.values()].filter((member) => member instanceof ProcessMember);
    await Promise.all(weft.map((member) => member.end('SIGTERM')));
    await Promise.all([this.redis?.remove(), this.postgres?.remove()]);
    rmSync(this.directory, { recursive: true, force: true });
  }

  private add<M extends Member>(member: M): M {
    this.members.set(member.name, member);
    return member;
  }

  private environment(own: Record<string, string> = {}): NodeJS.ProcessEnv {
    return {
      ...process.env,
      DATABASE_URL: this.postgres?.url,
      WEFT_AUTO_MIGRATE: 'no',
      WEFT_LOG_FORMAT: 'json',
      // One directory for all: without a key of your own they share the secret of development mode in it.
      WEFT_DATA_DIR: join(this.directory, 'data'),
      ...own,
    };
  }

  private instance(name: string, port: number): ProcessMember {
    return this.program(name, {
      description: `instance on http://localhost:${port}`,
      command: 'serve',
      env: {
        WEFT_INSTANCE_ID: name,
        HOST: '127.0.0.1',
        PORT: String(port),
        REDIS_URL: this.redis?.url ?? '',
        WEFT_COMPACTION: 'no',
        WEFT_TRUSTED_PROXIES: 'loopback',
      },
      ready: (member) => untilReady(member, `http://127.0.0.1:${port}/readyz`),
    });
  }

  private worker(): ProcessMember {
    return this.program('worker', {
      description: 'makes snapshots',
      command: 'worker',
      env: {},
      ready: async () => undefined,
    });
  }

  private program(
    name: string,
    {
      description,
      command,
      env,
      ready,
    }: {
      readonly description: string;
      readonly command: string;
      readonly env: Record<string, string>;
      readonly ready: (member: ProcessMember) => Promise<void>;
    },
  ): ProcessMember {
    return this.add(
      new ProcessMember({
        name,
        description,
        command: process.execPath,
        args: [...programArguments(), command],
        env: this.environment(env),
        cwd: this.directory,
        logFile: join(this.directory, 'log', `${name}.log`),
        patience: 30_000,
        ready,
        onCrash: (member, how) => this.crashed(member, how),
      }),
    );
  }

  private loadBalancer(instances: readonly number[]): ProcessMember {
    const program = findProgram('nginx');
    if (!program) throw new Error('No nginx here; run `npm run setup`');
    const directory = join(this.directory, 'nginx');
    const configuration = writeLoadBalancer({ directory, port: this.options.port, instances });
    return this.add(
      new ProcessMember({
        name: 'nginx',
        description: `load balancer on ${this.url}`,
        command: program,
        args: ['-p', directory, '-e', 'stderr', '-c', configuration],
        env: process.env,
        cwd: directory,
        logFile: join(this.directory, 'log', 'nginx.log'),
        patience: 2_000,
        ready: (member) => untilReady(member, `http://127.0.0.1:${this.options.port}/readyz`),
        onCrash: (member, how) => this.crashed(member, how),
      }),
    );
  }

  private crashed(member: ProcessMember, how: string): void {
    if (this.stopping) return;
    this.options.say(
      `${member.name} ended (${how})${this.options.restart ? '' : `; start it with: start ${member.name}`}`,
    );
    if (!this.options.restart) return;
    setTimeout(() => {
      if (this.stopping) return;
      member.start().then(
        () => this.options.say(`${member.name} is back, process ${member.pid}`),
        (error: unknown) => this.options.say(String(error)),
      );
    }, RESTART_DELAY_MS);
  }
}

function serviceMember(name: string, description: string, server: PostgresServer | RedisServer): Member {
  return {
    name,
    description: `${description} on ${new URL(server.url).host}`,
    logFile: undefined,
    get pid() {
      return server.process.running ? server.process.pid : undefined;
    },
    start: () => server.start(),
    // SIGTERM lets Postgres wait for its clients, who do not go; SIGINT cuts them off and stops cleanly.
    end: async (signal) =>
      void (await server.process.end(name === 'postgres' && signal === 'SIGTERM' ? 'SIGINT' : signal)),
    signal: (signal) => server.process.signal(signal),
  };
}

async function untilReady(member: ProcessMember, url: string): Promise<void> {
  const state = await until(
    async () => {
      if (member.pid === undefined) return 'ended';
      const answer = await fetch(url, { signal: AbortSignal.timeout(2_000) });
      await answer.arrayBuffer();
      return answer.status === 200 && 'ready';
    },
    { timeout: START_TIMEOUT_MS, interval: 50, what: `${member.name} to be ready (see ${member.logFile})` },
  );
  if (state === 'ended')
    throw new Error(`${member.name} ended while it started:\n${lastLines(member.logFile)}`);
}

/** Of a log whose directory is removed with the cluster. */
function lastLines(file: string): string {
  return readFileSync(file, 'utf8').trimEnd().split('\n').slice(-5).join('\n');
}
