import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { Logger } from '@weft/common';
import { lockDirectory } from './directory-lock.ts';
import type { FromWorker, ToWorker, WorkerOptions } from './messages.ts';
import { WalSync } from './wal-sync.ts';

const SOCKET_PORT = 5432;
const PING_INTERVAL_MS = 2_000;
const CHECKPOINT_INTERVAL_MS = 30_000;
const CHECKPOINT_BYTES = 64 * 1024 * 1024;

export interface EngineOptions {
  readonly dataDir: string;
  readonly logger: Logger;
  readonly idleInTransactionMs: number;
  /** Milliseconds without a sign of life after which the worker is given up. */
  readonly watchdogMs: number;
  /** The embedded Postgres is gone for good; called at most once. */
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
 * Starts PGlite in a worker thread, with its directory locked.
 * @throws DirectoryLockedError when another process uses the directory.
 */
export async function startEngine(options: EngineOptions): Promise<Engine> {
  const unlock = lockDirectory(options.dataDir);
  const home = process.platform === 'win32' ? undefined : mkdtempSync(join(tmpdir(), 'weft-pglite-'));
  const release = () => {
    if (home) rmSync(home, { recursive: true, force: true });
    unlock();
  };
  const secret = `weft-${randomBytes(16).toString('hex')}`;
  const dataDir = join(options.dataDir, 'postgres');
  const worker = spawn({
    dataDir,
    socketPath: home && join(home, `.s.PGSQL.${SOCKET_PORT}`),
    secret,
    idleInTransactionMs: options.idleInTransactionMs,
    checkpointIntervalMs: CHECKPOINT_INTERVAL_MS,
    checkpointBytes: CHECKPOINT_BYTES,
  });
  try {
    const port = await listening(worker);
    const guard = new WorkerGuard(worker, options);
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
        await guard.close();
        release();
      },
    };
  } catch (error) {
    await worker.terminate();
    release();
    throw error;
  }
}

/** Type stripping runs the sources as they are; a build has JavaScript beside this file. */
function spawn(workerData: WorkerOptions): Worker {
  const file = import.meta.url.endsWith('.ts') ? './worker.ts' : './worker.js';
  return new Worker(new URL(file, import.meta.url), { workerData, name: 'pglite' });
}

function listening(worker: Worker): Promise<number> {
  return new Promise((resolve, reject) => {
    worker.once('error', reject);
    worker.once('exit', (code) =>
      reject(new Error(`The embedded Postgres ended with ${code} while it started.`)),
    );
    worker.on('message', (message: FromWorker) => {
      if (message.type === 'listening') resolve(message.port);
    });
  });
}

/** Sees to it that a worker that hangs or ends is noticed, and only then. */
class WorkerGuard {
  private readonly worker: Worker;
  private readonly options: EngineOptions;
  private readonly timer: NodeJS.Timeout;
  private readonly exited: Promise<void>;
  private heard = Date.now();
  private closing = false;
  private fatal = false;

  constructor(worker: Worker, options: EngineOptions) {
    this.worker = worker;
    this.options = options;
    this.exited = new Promise((resolve) => worker.once('exit', () => resolve()));
    worker.on('message', (message: FromWorker) => this.hear(message));
    worker.on('error', (error) => this.fail(error instanceof Error ? error : new Error(String(error))));
    worker.on('exit', (code) => this.fail(new Error(`The embedded Postgres ended with ${code}.`)));
    this.timer = setInterval(() => this.check(), PING_INTERVAL_MS);
    this.timer.unref();
  }

  async close(): Promise<void> {
    this.closing = true;
    clearInterval(this.timer);
    if (!this.fatal) this.send({ type: 'close' });
    const deadline = setTimeout(() => void this.worker.terminate(), this.options.watchdogMs);
    await this.exited;
    clearTimeout(deadline);
  }

  private hear(message: FromWorker): void {
    this.heard = Date.now();
    if (message.type === 'trouble')
      this.options.logger.error({ detail: message.message }, 'embedded Postgres');
  }

  private check(): void {
    const silence = Date.now() - this.heard;
    if (silence < this.options.watchdogMs) {
      this.send({ type: 'ping' });
      return;
    }
    this.fail(new Error(`The embedded Postgres has not answered for ${silence} ms.`));
    // Ends its sockets too, so that every waiting query is rejected.
    void this.worker.terminate();
  }

  private send(message: ToWorker): void {
    this.worker.postMessage(message);
  }

  private fail(error: Error): void {
    if (this.closing || this.fatal) return;
    this.fatal = true;
    clearInterval(this.timer);
    this.options.logger.error({ err: error }, 'the embedded Postgres is gone');
    this.options.onFatal(error);
  }
}
