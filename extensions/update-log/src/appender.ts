import { setTimeout as delay } from 'node:timers/promises';
import { WeftError, type Logger } from '@weft/common';
import type pg from 'pg';
import {
  appendGuessedStatement,
  appendStatement,
  disarmStatement,
  readOutcome,
  readOutcomes,
  type AppendOutcome,
} from './append-statement.ts';
import { weight, type BatchLimits, type DocumentQueue, type QueuedBatch } from './document-queue.ts';
import { classifyFailure } from './failure.ts';
import { Gathering } from './gathering.ts';
import { Lane } from './lane.ts';
import type { LogMeters } from './meters.ts';
import type { AppendEntry } from './types.ts';

export interface AppenderOptions extends BatchLimits {
  readonly pool: pg.Pool;
  readonly instance: string;
  readonly logger: Logger;
  readonly meters: LogMeters;
  readonly syncToDisk: () => Promise<void>;
  readonly now: () => number;
  readonly lanes: number;
  readonly gatherMs: number;
  readonly maxPendingBytes: number;
  readonly commitTimeoutMs: number;
  readonly retryMinMs: number;
  readonly retryMaxMs: number;
  /** Called with each new connection for appending, before it is used. */
  readonly verify: (client: pg.PoolClient) => Promise<void>;
}

/** A statement that fails for no known reason is tried so often, then its documents are failed. */
const UNKNOWN_ATTEMPTS = 5;

/**
 * Group commit. Each lane has at most one transaction in flight; whatever arrives meanwhile is the next batch,
 * across documents. A document is in one batch at a time, so its order is the order of its queue.
 */
export class Appender {
  private readonly options: AppenderOptions;
  private readonly lanes: Lane[];
  private readonly idle: Lane[];
  private readonly ready: DocumentQueue[] = [];
  /** Ids, not handles: two handles of one document must not meet in a statement either. */
  private readonly busy = new Set<number>();
  /** Handles whose turn came while another handle of their document was busy. */
  private readonly blocked = new Map<number, DocumentQueue[]>();
  private readonly working = new Set<Promise<void>>();
  private readonly stopping = new AbortController();
  private readonly gathering: Gathering;
  private starting = false;
  /** Ends the wait for company. */
  private gatherTimer: NodeJS.Timeout | undefined;
  private pendingBytes = 0;
  private degraded: { readonly since: number; readonly by: unknown } | undefined;

  constructor(options: AppenderOptions) {
    this.options = options;
    const { pool, commitTimeoutMs: timeoutMs, gatherMs: maxWaitMs, now, verify } = options;
    this.gathering = new Gathering({ maxWaitMs, now });
    this.lanes = Array.from({ length: options.lanes }, () => new Lane({ pool, timeoutMs, verify }));
    this.idle = [...this.lanes];
  }

  get bytes(): number {
    return this.pendingBytes;
  }

  get degradedSince(): Date | undefined {
    return this.degraded && new Date(this.degraded.since);
  }

  get degradedBy(): unknown {
    return this.degraded?.by;
  }

  append(queue: DocumentQueue, entry: AppendEntry): number {
    if (queue.error) throw queue.error;
    const bytes = weight(entry);
    // A single entry larger than the bound still gets through, alone.
    if (this.pendingBytes > 0 && this.pendingBytes + bytes > this.options.maxPendingBytes) {
      throw new WeftError('log-backlog-full');
    }
    this.count(bytes);
    const ticket = queue.push(entry);
    this.gathering.arrived(entry.session || queue.key, entry.awaited);
    this.schedule(queue);
    if (this.gatherTimer && this.gathering.ready) this.endWait();
    return ticket;
  }

  /** Ends a queue. What of it is in flight may still be written, and is told to nobody. */
  fail(queue: DocumentQueue, error: WeftError): void {
    this.count(-queue.fail(error));
  }

  /** Gives up retrying: what is still not written fails with `log-unavailable`. Resolves when no lane works. */
  async stop(): Promise<void> {
    this.stopping.abort();
    this.endWait();
    await Promise.all(this.working);
    for (const lane of this.lanes) lane.release();
  }

  private count(bytes: number): void {
    this.pendingBytes += bytes;
    this.options.meters.pendingBytes.set(this.pendingBytes);
  }

  private schedule(queue: DocumentQueue): void {
    if (queue.scheduled || !queue.hasWork) return;
    queue.scheduled = true;
    this.ready.push(queue);
    this.wake();
  }

  private wake(): void {
    if (this.ready.length === 0 || this.starting || this.idle.length === 0) return;
    // After this turn of the event loop: what it still appends joins the batch.
    this.starting = true;
    setImmediate(() => this.gather());
  }

  private gather(): void {
    const wait = this.gathering.wait();
    if (wait === 0) this.begin();
    else this.gatherTimer = setTimeout(() => this.begin(), wait);
  }

  private endWait(): void {
    if (!this.gatherTimer) return;
    clearTimeout(this.gatherTimer);
    this.gatherTimer = undefined;
    setImmediate(() => this.begin());
  }

  private begin(): void {
    this.gatherTimer = undefined;
    this.starting = false;
    this.gathering.begun();
    const lane = this.ready.length > 0 ? this.idle.pop() : undefined;
    if (!lane) return;
    const work = this.write(lane, this.take()).finally(() => {
      this.working.delete(work);
      this.idle.push(lane);
      this.wake();
    });
    this.working.add(work);
  }

  private take(): QueuedBatch[] {
    const batches: QueuedBatch[] = [];
    let { maxBatchRows, maxBatchBytes } = this.options;
    while (maxBatchRows > 0 && maxBatchBytes > 0) {
      const queue = this.ready.shift();
      if (!queue) break;
      if (this.busy.has(queue.id)) {
        this.blocked.set(queue.id, [...(this.blocked.get(queue.id) ?? []), queue]);
        continue;
      }
      queue.scheduled = false;
      if (!queue.hasWork) continue;
      const batch = queue.take({ ...this.options, maxBatchRows, maxBatchBytes });
      this.busy.add(queue.id);
      batches.push(batch);
      maxBatchRows -= batch.rows.length;
      for (const row of batch.rows) maxBatchBytes -= row.update.byteLength;
    }
    return batches;
  }

  /** Comes back when each part of the batch is written, failed, or waits to be authorized again. */
  private async write(lane: Lane, batches: readonly QueuedBatch[]): Promise<void> {
    let written = batches.filter(({ rows }) => rows.length > 0);
    for (const batch of batches) if (batch.rows.length === 0) this.settle(batch, undefined);
    if (written.length === 0) return;
    for (let attempt = 0; ; attempt++) {
      try {
        const outcomes = await this.commit(lane, written);
        this.recovered();
        for (const batch of written)
          this.settle(batch, outcomes.get(batch.document) ?? { outcome: 'deleted' });
        return;
      } catch (error) {
        written = written.map(withoutGuess);
        if (await this.mayRetry(error, written, attempt)) continue;
        if (written.length === 1 || this.stopping.signal.aborted) {
          for (const batch of written) this.failBatch(batch, this.finalError(error));
          return;
        }
        // One of them spoils the statement for all: find it.
        const middle = written.length >> 1;
        await this.write(lane, written.slice(0, middle));
        await this.write(lane, written.slice(middle));
        return;
      }
    }
  }

  private async commit(lane: Lane, batches: readonly QueuedBatch[]): Promise<Map<number, AppendOutcome>> {
    const { meters, now } = this.options;
    const started = now();
    const outcomes = (await this.commitGuessed(lane, batches)) ?? (await this.commitAll(lane, batches));
    await this.options.syncToDisk();
    meters.commitSeconds.observe((now() - started) / 1_000);
    const rows = batches.reduce((sum, batch) => sum + batch.rows.length, 0);
    meters.batchRows.observe(rows);
    meters.rows.inc({}, rows);
    return outcomes;
  }

  private async commitGuessed(
    lane: Lane,
    [batch, ...others]: readonly QueuedBatch[],
  ): Promise<Map<number, AppendOutcome> | undefined> {
    if (!batch || batch.guess === undefined || others.length > 0) return undefined;
    const statement = appendGuessedStatement({ ...batch, guess: batch.guess }, this.options.instance);
    const outcome = readOutcome(await lane.query(statement));
    return outcome && new Map([[batch.document, outcome]]);
  }

  private async commitAll(lane: Lane, batches: readonly QueuedBatch[]): Promise<Map<number, AppendOutcome>> {
    for (const batch of batches) {
      const { failedGuess: guess, known } = batch;
      // What is known to exist was no guess: the log stands there already.
      if (guess !== undefined && guess > known) await lane.query(disarmStatement({ ...batch, guess }));
    }
    return readOutcomes(await lane.query(appendStatement(batches, this.options.instance)));
  }

  /** Waits out the back-off when trying again makes sense. */
  private async mayRetry(error: unknown, batches: readonly QueuedBatch[], attempt: number): Promise<boolean> {
    const failure = classifyFailure(error);
    const { logger, meters, now, retryMinMs, retryMaxMs } = this.options;
    meters.failures.inc({ class: failure });
    const again =
      failure === 'retry' || (failure === 'unknown' && batches.length === 1 && attempt < UNKNOWN_ATTEMPTS);
    logger.warn(
      { err: error, failure, documents: batches.length, attempt, again },
      'a batch could not be written',
    );
    if (!again || this.stopping.signal.aborted) return false;
    this.degraded = { since: this.degraded?.since ?? now(), by: error };
    const pause = Math.min(retryMaxMs, retryMinMs * 2 ** Math.min(attempt, 20)) * (0.5 + Math.random() / 2);
    await delay(pause, undefined, { signal: this.stopping.signal }).catch(() => undefined);
    return !this.stopping.signal.aborted;
  }

  private recovered(): void {
    if (this.degraded === undefined) return;
    this.options.logger.info({ ms: this.options.now() - this.degraded.since }, 'the log takes updates again');
    this.degraded = undefined;
  }

  private finalError(error: unknown): WeftError {
    const code = this.stopping.signal.aborted ? 'log-unavailable' : 'log-write-failed';
    return new WeftError(code, { cause: error });
  }

  private settle(batch: QueuedBatch, result: AppendOutcome | undefined): void {
    if (!result) this.finish(batch);
    else if (result.outcome === 'stale') void this.reauthorize(batch, result.policyRev);
    else if (result.outcome === 'reload') this.failBatch(batch, new WeftError('document-reload'));
    else if (result.outcome === 'deleted') this.failBatch(batch, new WeftError('document-deleted'));
    else this.finish(batch, result);
  }

  private finish(batch: QueuedBatch, place?: { firstSeq: number; at: Date }): void {
    this.count(-batch.queue.commit(batch, this.options.instance, place));
    this.free(batch.queue);
  }

  /** Never rejects: nobody waits for it. The lane goes on with other documents meanwhile. */
  private async reauthorize(batch: QueuedBatch, policyRev: number): Promise<void> {
    try {
      this.count(await batch.queue.reauthorize(batch, policyRev));
      this.free(batch.queue);
    } catch (error) {
      this.options.logger.warn(
        { err: error, document: batch.queue.key },
        'updates could not be authorized again',
      );
      const known =
        error instanceof WeftError ? error : new WeftError('permissions-unavailable', { cause: error });
      this.failBatch(batch, known);
    }
  }

  private failBatch({ queue }: QueuedBatch, error: WeftError): void {
    this.fail(queue, error);
    this.free(queue);
  }

  private free(queue: DocumentQueue): void {
    this.busy.delete(queue.id);
    this.ready.push(...(this.blocked.get(queue.id) ?? []));
    this.blocked.delete(queue.id);
    this.schedule(queue);
    this.wake();
  }
}

/**
 * Who has tried may have written: the log can stand where it was guessed to stand because of that very attempt, when the
 * guess came of a rumour. From then on earlier rows are searched for.
 */
function withoutGuess(batch: QueuedBatch): QueuedBatch {
  return { ...batch, guess: undefined, failedGuess: batch.failedGuess ?? batch.guess };
}
