import { checkOut, type Logger, type Notifications } from '@weft/common';
import pg from 'pg';
import { startEngine, type Engine } from './embedded/engine.ts';
import { Listener } from './listener.ts';

export interface DatabaseOptions {
  /** A Postgres server. Without it PGlite runs in `dataDir`. */
  readonly url?: string | undefined;
  /** Where PGlite keeps its files (in `postgres`) and its lock. */
  readonly dataDir?: string | undefined;
  readonly logger: Logger;
  readonly poolSize?: number;
  /** Milliseconds to get a connection, waiting for a free one included. */
  readonly connectTimeoutMs?: number;
  /** Milliseconds after which the server ends a statement. PGlite cannot. */
  readonly statementTimeoutMs?: number;
  /** Milliseconds after which the client gives a statement up; longer than `statementTimeoutMs`. */
  readonly queryTimeoutMs?: number;
  /** Milliseconds that a transaction may do nothing. */
  readonly idleInTransactionMs?: number;
  /** Milliseconds without a sign of life after which PGlite is given up. */
  readonly watchdogMs?: number;
  /** PGlite is gone for good: the process should end, nothing can be saved any more. */
  readonly onFatal?: (error: Error) => void;
}

export const databaseDefaults = {
  poolSize: 10,
  connectTimeoutMs: 5_000,
  statementTimeoutMs: 15_000,
  queryTimeoutMs: 20_000,
  idleInTransactionMs: 15_000,
  watchdogMs: 30_000,
} as const;

export interface Database {
  readonly kind: 'postgres' | 'pglite';
  readonly pool: pg.Pool;
  readonly notifications: Notifications;
  /**
   * Resolves when everything committed so far survives a power failure. A Postgres server sees to that itself
   * before it answers a COMMIT; PGlite does not. Call it after a commit, before acknowledging.
   */
  syncToDisk(): Promise<void>;
  /**
   * Why it could not be reached when it was last tried, as far as is known without asking: seen within seconds, also where
   * nobody writes. `undefined`: it could.
   */
  awayBecause(): unknown;
  /** Waits for what is checked out of the pool. */
  close(): Promise<void>;
}

/**
 * @throws DirectoryLockedError when another process uses `dataDir`. An unreachable Postgres does not throw here:
 * it may come back, and every query says for itself that it failed.
 */
export async function openDatabase(options: DatabaseOptions): Promise<Database> {
  const given = { ...databaseDefaults, ...options };
  if (given.url)
    return assemble({ kind: 'postgres', client: { connectionString: given.url }, options: given });
  if (!given.dataDir) throw new Error('Give a url or a dataDir.');
  const engine = await startEngine({
    dataDir: given.dataDir,
    logger: given.logger,
    idleInTransactionMs: given.idleInTransactionMs,
    watchdogMs: given.watchdogMs,
    onFatal: given.onFatal ?? (() => undefined),
  });
  return assemble({ kind: 'pglite', client: engine.address, options: given, engine });
}

type Complete = DatabaseOptions & Required<Pick<DatabaseOptions, keyof typeof databaseDefaults>>;

interface Parts {
  readonly kind: Database['kind'];
  readonly client: pg.ClientConfig;
  readonly options: Complete;
  readonly engine?: Engine;
}

/**
 * What holds for each connection, whatever a server, database or role has for its default: times in the form that `pg`
 * reads, and transactions that wait for a locked row and go on with what it has become.
 */
const SESSION = "SET datestyle TO ISO; SET default_transaction_isolation TO 'read committed'";

async function beginSession(made: pg.PoolClient): Promise<void> {
  // Nobody else listens to it yet.
  await checkOut(() => Promise.resolve(made));
  await made.query(SESSION);
}

function assemble({ kind, client, options, engine }: Parts): Database {
  const config = {
    ...client,
    application_name: 'weft',
    connectionTimeoutMillis: options.connectTimeoutMs,
    query_timeout: options.queryTimeoutMs,
    statement_timeout: options.statementTimeoutMs,
    idle_in_transaction_session_timeout: options.idleInTransactionMs,
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
  } satisfies pg.ClientConfig;
  const pool = new pg.Pool({
    ...config,
    max: options.poolSize,
    ...(engine === undefined && {
      verify: (made, done) => void beginSession(made).then(() => done(), done),
    }),
  });
  // An idle connection that breaks is replaced by the next checkout; unheard, the event would end the process.
  pool.on('error', (error) => options.logger.warn({ err: error }, 'an idle database connection broke'));
  const listener = new Listener({ client: config, logger: options.logger });
  return {
    kind,
    pool,
    notifications: listener,
    syncToDisk: engine ? () => engine.syncToDisk() : () => Promise.resolve(),
    awayBecause: () => listener.refusedBecause,
    close: async () => {
      await Promise.all([listener.close(), pool.end()]);
      await engine?.close();
    },
  };
}
