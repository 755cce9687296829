import { execFile, execFileSync } from 'node:child_process';
import { chownSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import pg from 'pg';
import { freePort } from './ports.ts';
import { findPrepared } from './prepared.ts';
import { TestProcess } from './process.ts';
import { findPostgresPrograms } from './programs.ts';
import { until } from './wait.ts';

const run = promisify(execFile);

/** A real Postgres server of this test run, on a free port of loopback. */
export interface PostgresServer {
  /** Of the maintenance database; for {@link createDatabase}. */
  readonly url: string;
  readonly port: number;
  process: TestProcess;
  /** Starts it again after it ended. */
  start(): Promise<void>;
  /** Ends it: `SIGINT` fast (connections are cut), `SIGQUIT` like a crash. The data stays. */
  stop(signal?: 'SIGINT' | 'SIGQUIT' | 'SIGKILL'): Promise<void>;
  /** Ends it and removes its data. */
  remove(): Promise<void>;
}

interface Account {
  readonly uid: number;
  readonly gid: number;
}

/** Postgres refuses to run as root: then the `postgres` user runs it. */
function account(): Account | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const id = (flag: string) => Number(execFileSync('id', [flag, 'postgres'], { encoding: 'utf8' }));
  return { uid: id('-u'), gid: id('-g') };
}

function programs(): string {
  const bin = findPostgresPrograms();
  if (!bin) throw new Error('No PostgreSQL server here; run `npm run setup`');
  return bin;
}

/** Makes the files of a server with no databases but its own. */
export function makePostgresData(data: string, as = account()): void {
  const options = { cwd: dirname(data), stdio: 'ignore', ...as } as const;
  const prepared = findPrepared('postgres');
  if (prepared) execFileSync('cp', ['-R', prepared, data], options);
  else {
    const args = ['-D', data, '-U', 'weft', '-A', 'trust', '-E', 'UTF8', '--no-sync'];
    execFileSync(join(programs(), 'initdb'), args, options);
  }
}

/** A directory of this run's own that the server's account may write to. */
export function makePostgresDirectory(as = account()): string {
  const directory = mkdtempSync(join(tmpdir(), 'weft-postgres-'));
  if (as) chownSync(directory, as.uid, as.gid);
  return directory;
}

interface ServeOptions {
  /** Holds its files, in `data`. */
  readonly directory: string;
  readonly settings: Readonly<Record<string, string>>;
  /** Keeps the signals of a terminal, which go to all processes of its group, from the server. */
  readonly detached?: boolean;
}

/** @param detached keeps the signals of a terminal, which go to all processes of its group, from the server */
export async function startPostgres(
  settings: Record<string, string> = {},
  { detached = false } = {},
): Promise<PostgresServer> {
  const directory = makePostgresDirectory();
  makePostgresData(join(directory, 'data'));
  return serve({ directory, settings, detached });
}

/** A copy of a running server that follows it. */
export interface PostgresReplica extends PostgresServer {
  /** The server goes on without it, and it gets nothing of what is committed from now on. */
  fallBehind(): Promise<void>;
  /** It takes writes from now on. */
  promote(): Promise<void>;
}

/**
 * Makes a replica that the server waits for: from now on nothing is committed there that is not here too.
 *
 * @param settings those of the server that a replica has to share, such as `max_connections`
 */
export async function startReplica(
  primary: PostgresServer,
  settings: Record<string, string> = {},
): Promise<PostgresReplica> {
  const directory = makePostgresDirectory();
  const copy = [
    '-d',
    primary.url,
    '-D',
    join(directory, 'data'),
    '-R',
    '-X',
    'stream',
    '-c',
    'fast',
    '--no-sync',
  ];
  await run(join(programs(), 'pg_basebackup'), copy, { cwd: directory, ...account() });
  const replica = await serve({ directory, settings });
  const operator = new pg.Client({ connectionString: primary.url });
  await operator.connect();
  await operator.query("ALTER SYSTEM SET synchronous_standby_names = '*'");
  await operator.query('SELECT pg_reload_conf()');
  const waitedFor = async () => {
    const { rowCount } = await operator.query("SELECT FROM pg_stat_replication WHERE sync_state = 'sync'");
    return rowCount === 1;
  };
  await until(waitedFor, { what: 'the replica to be waited for' });
  await operator.end();
  return Object.assign(replica, {
    async fallBehind() {
      await ask(replica.url, "ALTER SYSTEM SET primary_conninfo = ''", 'SELECT pg_reload_conf()');
      await until(async () => (await ask(replica.url, 'SELECT FROM pg_stat_wal_receiver')) === 0, {
        what: 'the replica to follow no more',
      });
      await ask(primary.url, "ALTER SYSTEM SET synchronous_standby_names = ''", 'SELECT pg_reload_conf()');
    },
    async promote() {
      await ask(replica.url, 'SELECT pg_promote()');
    },
  });
}

/** @returns how many rows the last of these statements found */
async function ask(url: string, ...statements: readonly string[]): Promise<number> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    let found = 0;
    for (const statement of statements) found = (await client.query(statement)).rowCount ?? 0;
    return found;
  } finally {
    await client.end();
  }
}

/** Starts a server on the files in a directory. */
async function serve({ directory, settings, detached = false }: ServeOptions): Promise<PostgresServer> {
  const port = await freePort();
  const options = { cwd: directory, detached, ...account() };
  const given = { max_connections: '200', shared_buffers: '64MB', fsync: 'off', ...settings };
  const args = ['-D', join(directory, 'data'), '-p', String(port), '-h', '127.0.0.1', '-k', directory];
  for (const [name, value] of Object.entries(given)) args.push('-c', `${name}=${value}`);
  const url = `postgres://weft@127.0.0.1:${port}/postgres`;

  const launch = () => new TestProcess('postgres', join(programs(), 'postgres'), args, options);

  const server: PostgresServer = {
    url,
    port,
    process: launch(),
    async start() {
      const running = () => {
        // It refuses while a killed one's backends are still about.
        if (!server.process.running) server.process = launch();
        return answers(url);
      };
      await until(running, { timeout: 30_000, interval: 100, what: `postgres on port ${port}` });
    },
    async stop(signal = 'SIGINT') {
      await server.process.end(signal);
    },
    async remove() {
      await server.process.end('SIGQUIT');
      rmSync(directory, { recursive: true, force: true });
    },
  };
  await server.start();
  return server;
}

async function answers(url: string): Promise<boolean> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 2_000 });
  try {
    await client.connect();
    await client.query('SELECT 1');
    return true;
  } finally {
    await client.end().catch(() => undefined);
  }
}

let made = 0;

/** Makes an empty database (or a copy of `template`) on the server at `url` and returns its URL. */
export async function createDatabase(url: string, template?: string): Promise<string> {
  const name = `test_${process.pid}_${Date.now().toString(36)}_${++made}`;
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(`CREATE DATABASE ${name}${template ? ` TEMPLATE ${template}` : ''}`);
  } finally {
    await client.end();
  }
  const result = new URL(url);
  result.pathname = `/${name}`;
  return result.href;
}
