import { setTimeout as delay } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import type { Logger } from '@weft/common';
import type { FromWorker, ToWorker, WorkerOptions } from './messages.ts';

const PING_INTERVAL_MS = 2_000;
const FIRST_PAUSE_MS = 500;
/** A start that fails costs seconds of CPU. */
const LAST_PAUSE_MS = 15_000;

export interface EngineWorkerOptions extends WorkerOptions {
  readonly logger: Logger;
  readonly watchdogMs: number;
  readonly onFatal: (error: Error) => void;
}

/**
 * The thread that PGlite lives in. Postgres ends itself when it can't write its log, as on a full disk (`PANIC`), and
 * relies on being started again: what it has committed is in its files. One that hangs is given up instead.
 */
export class EngineWorker {
  private readonly options: EngineWorkerOptions;
  private readonly stopping = new AbortController();
  private listenAt: string | number;
  private worker: Worker | undefined;
  private exited: Promise<unknown> = Promise.resolve();
  private restarting: Promise<void> | undefined;
  private timer: NodeJS.Timeout | undefined;
  private unanswered = 0;
  private reason: string | undefined;

  constructor(options: EngineWorkerOptions) {
    this.options = options;
    this.listenAt = options.listenAt;
  }

  /** Resolves with the port that it listens at, 0 for a path. */
  async start(): Promise<number> {
    const port = await this.launch();
    this.timer = setInterval(() => this.check(), PING_INTERVAL_MS);
    this.timer.unref();
    return port;
  }

  async close(): Promise<void> {
    this.stopping.abort();
    clearInterval(this.timer);
    await this.restarting;
    this.send({ type: 'close' });
    const deadline = setTimeout(() => void this.worker?.terminate(), this.options.watchdogMs);
    await this.exited;
    clearTimeout(deadline);
  }

  private async launch(): Promise<number> {
    const worker = spawn({ ...workerOptions(this.options), listenAt: this.listenAt });
    const exited = new Promise((resolve) => worker.once('exit', resolve));
    const port = await listening(worker).catch(async (error: unknown) => {
      await worker.terminate();
      throw error;
    });
    this.worker = worker;
    this.exited = exited;
    this.reason = undefined;
    this.unanswered = 0;
    if (typeof this.listenAt === 'number') this.listenAt = port;
    worker.on('message', (message: FromWorker) => this.hear(message));
    worker.on('error', (error) => (this.reason ??= String(error)));
    worker.on('exit', () => this.lost());
    return port;
  }

  private hear(message: FromWorker): void {
    this.unanswered = 0;
    if (message.type === 'ended') this.reason = message.reason;
    if (message.type === 'trouble')
      this.options.logger.error({ detail: message.message }, 'embedded Postgres');
  }

  private lost(): void {
    this.worker = undefined;
    if (this.stopping.signal.aborted) return;
    this.options.logger.error(
      { reason: this.reason },
      'the embedded Postgres has ended itself; starting it again',
    );
    this.restarting = this.restart().finally(() => (this.restarting = undefined));
  }

  private async restart(): Promise<void> {
    const { logger } = this.options;
    const { signal } = this.stopping;
    for (let pause = FIRST_PAUSE_MS; !this.worker; pause = Math.min(pause * 2, LAST_PAUSE_MS)) {
      await delay(pause, undefined, { signal }).catch(() => undefined);
      if (signal.aborted) return;
      await this.launch().then(
        () => logger.info({}, 'the embedded Postgres is there again'),
        (error: unknown) =>
          logger.warn({ reason: String(error) }, 'the embedded Postgres could not be started again'),
      );
    }
  }

  /**
   * Counts questions instead of time: when the machine has slept, or its clock was set forward, nothing was heard for
   * long, and nothing was asked either.
   */
  private check(): void {
    if (!this.worker) return;
    if (this.unanswered * PING_INTERVAL_MS < this.options.watchdogMs) {
      this.unanswered++;
      this.send({ type: 'ping' });
      return;
    }
    const error = new Error(
      `The embedded Postgres has not answered for ${this.unanswered * PING_INTERVAL_MS} ms.`,
    );
    this.stopping.abort();
    clearInterval(this.timer);
    this.options.logger.error({ err: error }, 'the embedded Postgres is gone');
    this.options.onFatal(error);
    // Ends its sockets too, so that every waiting query is rejected.
    void this.worker.terminate();
  }

  private send(message: ToWorker): void {
    this.worker?.postMessage(message);
  }
}

/** Only what can be sent to a thread. */
function workerOptions(options: EngineWorkerOptions): WorkerOptions {
  const { dataDir, listenAt, secret, idleInTransactionMs, checkpointIntervalMs, checkpointBytes } = options;
  return { dataDir, listenAt, secret, idleInTransactionMs, checkpointIntervalMs, checkpointBytes };
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
