import { randomBytes } from 'node:crypto';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Logger } from '@weft/common';
import { lockDirectory } from './directory-lock.ts';
import { EngineWorker } from './engine-worker.ts';
import { makeSocketHome, removeAbandonedHomes, SOCKET_FILE, SOCKET_PORT } from './socket-home.ts';
import { WalSync } from './wal-sync.ts';

const CHECKPOINT_INTERVAL_MS = 30_000;
const CHECKPOINT_BYTES = 64 * 1024 * 1024;

export interface EngineOptions {
  readonly dataDir: string;
  readonly logger: Logger;
  readonly idleInTransactionMs: number;
  /** Milliseconds without a sign of life after which it is given up. */
  readonly watchdogMs: number;
  /** The embedded Postgres hangs, and has been given up; called at most once. */
  readonly onFatal: (error: Error) => void;
}

/** Where `pg` finds the engine. */
export interface EngineAddress {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly database: string;
}

export interface Engine {
  readonly address: EngineAddress;
  syncToDisk(): Promise<void>;
  close(): Promise<void>;
}

/**
 * Starts PGlite in a worker thread, with its directory locked. A Postgres that ends itself is started again; until then
 * it is away.
 * @throws DirectoryLockedError when another process uses the directory.
 */
export async function startEngine(options: EngineOptions): Promise<Engine> {
  const unlock = lockDirectory(options.dataDir);
  const home = process.platform === 'win32' ? undefined : makeSocketHome();
  const release = () => {
    if (home) rmSync(home, { recursive: true, force: true });
    unlock();
  };
  const secret = `weft-${randomBytes(16).toString('hex')}`;
  const dataDir = join(options.dataDir, 'postgres');
  const worker = new EngineWorker({
    ...options,
    dataDir,
    listenAt: home ? join(home, SOCKET_FILE) : 0,
    secret,
    checkpointIntervalMs: CHECKPOINT_INTERVAL_MS,
    checkpointBytes: CHECKPOINT_BYTES,
  });
  try {
    const [port] = await Promise.all([worker.start(), home && removeAbandonedHomes().catch(() => undefined)]);
    const wal = new WalSync(dataDir);
    return {
      address: {
        host: home ?? '127.0.0.1',
        port: home ? SOCKET_PORT : port,
        user: secret,
        database: 'postgres',
      },
      syncToDisk: () => wal.sync(),
      close: async () => {
        await worker.close();
        release();
      },
    };
  } catch (cause) {
    release();
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new Error(
      `The embedded Postgres in ${dataDir} does not start (${reason}). Is there room on the disk?`,
      { cause },
    );
  }
}
