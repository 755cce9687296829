import {
  type Clock,
  type Counter,
  type Logger,
  type Metrics,
  noMetrics,
  silentLogger,
  systemClock,
} from '@weft/common';
import type { Pool } from 'pg';
import { AuditBuffer, COALESCE_MS } from './buffer.ts';
import { type AuditEntry, type Recorded, recorded } from './entry.ts';
import { type AuditPage, type AuditQuery, insert, list, type Queryable } from './table.ts';

export interface AuditLogOptions {
  readonly pool: Pool;
  readonly clock?: Clock;
  readonly logger?: Logger;
  readonly metrics?: Metrics;
  /** Entries that may wait; what comes then is counted and dropped. */
  readonly maxPending?: number;
  /** Milliseconds between two writes. */
  readonly interval?: number;
}

const BATCH = 500;
/** The classes "data exception" and "integrity constraint violation": no retry makes such a row good. */
const PERMANENT = /^2[23]/;

/**
 * An append-only record. {@link record} costs the caller a Map lookup and cannot fail; rows are written in
 * batches in the background. What has to be recorded together with an act goes through {@link recordIn}.
 */
export class AuditLog {
  private readonly pool: Pool;
  private readonly clock: Clock;
  private readonly logger: Logger;
  private readonly dropped: Counter;
  private readonly interval: number;
  private readonly buffer: AuditBuffer;
  private unwritten: Recorded[] = [];
  private timer: NodeJS.Timeout | undefined;
  private writing: Promise<void> = Promise.resolve();
  private stopped = false;

  constructor(options: AuditLogOptions) {
    this.pool = options.pool;
    this.clock = options.clock ?? systemClock;
    this.logger = options.logger ?? silentLogger;
    this.interval = options.interval ?? 1_000;
    this.buffer = new AuditBuffer(options.maxPending ?? 10_000);
    this.dropped = (options.metrics ?? noMetrics).counter(
      'weft_audit_dropped_total',
      'Audit entries that were lost, because too many waited or the database refused them.',
    );
  }

  record(entry: AuditEntry): void {
    if (this.stopped || !this.buffer.add(entry, this.clock.now())) this.dropped.inc();
    this.timer ??= this.schedule();
  }

  /** In the caller's transaction: recorded if, and only if, what it says is committed. */
  async recordIn(tx: Queryable, entry: AuditEntry): Promise<void> {
    await insert(tx, [recorded(entry, this.clock.now())]);
  }

  /** Writes all that was recorded before the call. Rejects when the database does not take it; it is kept. */
  async flush(): Promise<void> {
    await this.writeUntil(Infinity);
  }

  /** In the order of commits: a reader that goes on from `next` misses nothing and sees nothing twice. */
  async list(query: AuditQuery): Promise<AuditPage> {
    return list(this.pool, query);
  }

  /** Writes what waits, once; what the database does not take then is lost, and logged. */
  async stop(): Promise<void> {
    this.stopped = true;
    clearTimeout(this.timer);
    try {
      await this.flush();
    } catch (err) {
      const lost = this.unwritten.length + this.buffer.size;
      this.dropped.inc(undefined, lost);
      this.logger.error({ err, lost }, 'the audit log could not be written at the end');
    }
  }

  private schedule(): NodeJS.Timeout | undefined {
    if (this.stopped) return undefined;
    const timer = setTimeout(() => void this.tick(), this.interval);
    timer.unref();
    return timer;
  }

  private async tick(): Promise<void> {
    try {
      await this.writeUntil(this.clock.now() - COALESCE_MS);
    } catch (err) {
      this.logger.warn({ err }, 'the audit log cannot be written; it is tried again');
    }
    const waits = this.unwritten.length + this.buffer.size > 0;
    this.timer = waits ? this.schedule() : undefined;
  }

  /** One after the other, so that the batch in hand is only ever in one hand. */
  private writeUntil(countedUntil: number): Promise<void> {
    this.writing = this.writing.catch(() => undefined).then(() => this.write(countedUntil));
    return this.writing;
  }

  private async write(countedUntil: number): Promise<void> {
    for (;;) {
      if (this.unwritten.length === 0) {
        this.unwritten = this.buffer.take({ limit: BATCH, now: this.clock.now(), countedUntil });
      }
      if (this.unwritten.length === 0) return;
      await this.writeBatch(this.unwritten);
      this.unwritten = [];
    }
  }

  private async writeBatch(batch: readonly Recorded[]): Promise<void> {
    try {
      await insert(this.pool, batch);
    } catch (error) {
      if (!isPermanent(error)) throw error;
      await this.writeOneByOne(batch);
    }
  }

  /** One bad entry must not take its neighbours with it. */
  private async writeOneByOne(batch: readonly Recorded[]): Promise<void> {
    for (const entry of batch) {
      try {
        await insert(this.pool, [entry]);
      } catch (err) {
        if (!isPermanent(err)) throw err;
        this.dropped.inc();
        this.logger.error({ err, action: entry.entry.action }, 'the database refused an audit entry');
      }
    }
  }
}

function isPermanent(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return typeof code === 'string' && PERMANENT.test(code);
}
