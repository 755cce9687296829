import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { freePort } from './ports.ts';
import { provideEmbedded } from './prepared.ts';
import { TestProcess } from './process.ts';
import { RestClient } from './rest.ts';
import { mintToken, TEST_SECRET, type TokenClaims } from './tokens.ts';
import { until } from './wait.ts';

const REPOSITORY = resolve(import.meta.dirname, '../../..');

export interface WeftOptions {
  /** None: the embedded Postgres in the data directory. */
  readonly databaseUrl?: string;
  readonly redisUrl?: string;
  /** None: a new one, removed at the end. */
  readonly dataDir?: string;
  readonly port?: number;
  /** Further options of the server; an empty string takes one of the harness away. */
  readonly env?: Readonly<Record<string, string>>;
  /** Milliseconds until it must be ready. */
  readonly timeout?: number;
}

/** The real program as a child process, on loopback. */
export interface WeftServer {
  readonly url: string;
  /** Of the collaboration WebSocket. */
  readonly wsUrl: string;
  readonly port: number;
  readonly dataDir: string;
  process: TestProcess;
  /** The log output of the running process. */
  readonly logs: string;
  token(claims: TokenClaims): string;
  /** Speaks REST as that person. */
  as(claims: TokenClaims): RestClient;
  readiness(): Promise<number>;
  /** Starts it (again), and waits until it may take traffic. */
  start(): Promise<void>;
  /** Ends it as a deploy would; its exit code. */
  stop(): Promise<number | null>;
  kill9(): Promise<void>;
  restart(): Promise<void>;
  /** Ends it and removes what it kept on disk. */
  remove(): Promise<void>;
}

/** The built program, as it is shipped; `WEFT_E2E_PROGRAM=source` spares developers the build. */
export function programArguments(): string[] {
  return process.env.WEFT_E2E_PROGRAM === 'source'
    ? ['--conditions=weft-source', join(REPOSITORY, 'server/src/main.ts')]
    : [join(REPOSITORY, 'server/bin/weft.js')];
}

function environment(options: WeftOptions, port: number, dataDir: string): NodeJS.ProcessEnv {
  const given: Record<string, string> = {
    PORT: String(port),
    HOST: '127.0.0.1',
    WEFT_DATA_DIR: dataDir,
    WEFT_JWT_SECRET: TEST_SECRET,
    WEFT_LOG_FORMAT: 'json',
    // Tests type faster than people.
    WEFT_UPDATE_RATE: '100000',
    WEFT_REQUEST_RATE: '1000000',
    ...(options.databaseUrl && { DATABASE_URL: options.databaseUrl }),
    ...(options.redisUrl && { REDIS_URL: options.redisUrl }),
    ...options.env,
  };
  // Nothing of the caller's own configuration may leak into the server under test.
  const { PATH, HOME, TMPDIR, NODE_COMPILE_CACHE } = process.env;
  return { PATH, HOME, TMPDIR, NODE_COMPILE_CACHE, ...given };
}

export async function startWeft(options: WeftOptions = {}): Promise<WeftServer> {
  const port = options.port ?? (await freePort());
  const ownDirectory = options.dataDir === undefined;
  const dataDir = options.dataDir ?? mkdtempSync(join(tmpdir(), 'weft-data-'));
  if (ownDirectory && options.databaseUrl === undefined) provideEmbedded(dataDir);
  const url = `http://127.0.0.1:${port}`;
  const spawnServer = () =>
    new TestProcess('weft', process.execPath, [...programArguments(), 'serve'], {
      cwd: dataDir,
      env: environment(options, port, dataDir),
    });

  const server: WeftServer = {
    url,
    wsUrl: `ws://127.0.0.1:${port}/collab`,
    port,
    dataDir,
    process: spawnServer(),
    get logs() {
      return server.process.output;
    },
    token: (claims) => mintToken(claims, options.env?.WEFT_JWT_SECRET),
    as: (claims) => new RestClient({ url, token: server.token(claims) }),
    async readiness() {
      const response = await fetch(`${url}/readyz`, { signal: AbortSignal.timeout(2_000) });
      await response.arrayBuffer();
      return response.status;
    },
    async start() {
      if (!server.process.running) server.process = spawnServer();
      await untilReady(server, options.timeout ?? 90_000);
    },
    stop: () => server.process.end('SIGTERM', 40_000),
    async kill9() {
      await server.process.end('SIGKILL');
    },
    async restart() {
      await server.stop();
      await server.start();
    },
    async remove() {
      await server.process.end('SIGKILL');
      if (ownDirectory) rmSync(dataDir, { recursive: true, force: true });
    },
  };
  await server.start().catch(async (error: unknown) => {
    await server.remove();
    throw error;
  });
  return server;
}

async function untilReady(server: WeftServer, timeout: number): Promise<void> {
  await until(
    async () => {
      if (!server.process.running) return 'ended';
      return (await server.readiness()) === 200 && 'ready';
    },
    { timeout, what: `weft on port ${server.port} to be ready` },
  ).then(
    (state) => {
      if (state === 'ended') throw new Error(`weft ended while it started:\n${server.logs}`);
    },
    (cause: unknown) => {
      throw new Error(`weft did not become ready:\n${server.logs}`, { cause });
    },
  );
}
