import {
  noMetrics,
  systemClock,
  type Clock,
  type CommittedUpdate,
  type Cursor,
  type Logger,
  type Metrics,
  type Service,
} from '@weft/common';
import type { DocumentPosition } from './document-position.ts';

/** Where a document's log stands. */
export interface DocumentHead {
  readonly epoch: number;
  readonly head: number;
  readonly policyRev: number;
}

/** Asks the log for many heads in one query. An id that is missing in the answer has been deleted. */
export type ReadHeads = (ids: readonly number[]) => Promise<ReadonlyMap<number, DocumentHead>>;

export interface VigilanceOptions {
  readonly heads: ReadHeads;
  /** Milliseconds between two checks. Default 3000. */
  readonly interval?: number;
  /** The same while rows are not being delivered. Default 500. */
  readonly awayInterval?: number;
  /**
   * Milliseconds that a document's permission revision may be unknown, when it should be known sooner. Whoever commits
   * to it knows it by that, and does not ask. Default: as `interval`.
   */
  readonly policyInterval?: number;
  readonly logger: Logger;
  readonly metrics?: Metrics;
  readonly clock?: Clock;
}

export interface Watched {
  /** The log's own number of the document. */
  readonly id: number;
  readonly position: DocumentPosition;
  /** The permission revision known so far. */
  readonly policyRev: number;
  /** It is another one now. Must not throw. */
  policyChanged(policyRev: number): void;
}

export interface Watching {
  /** Rows that this process has committed: so stood the log, and its permissions, a moment ago. */
  committed(rows: readonly CommittedUpdate[]): void;
  end(): void;
}

interface Watch {
  readonly watched: Watched;
  policyRev: number;
  /** `performance.now()` when it was last known how the log stands. */
  knownAt: number;
}

const IDS_PER_QUERY = 5000;

/**
 * Compares every open document with the head of its log, in one query for all. What pub/sub has lost, whatever
 * the reason, is found here.
 */
export class Vigilance implements Service {
  private readonly heads: ReadHeads;
  private readonly interval: number;
  private readonly policyInterval: number;
  private readonly awayInterval: number;
  private readonly logger: Logger;
  private readonly clock: Clock;
  private readonly checks;
  private readonly watches = new Set<Watch>();
  private away = false;
  private running = false;
  private timer: NodeJS.Timeout | undefined;
  private checking: Promise<void> | undefined;
  /** `performance.now()` when everything was last asked for. */
  private askedAt = -Infinity;
  private lastSuccess: number | undefined;
  private failing = false;

  constructor(options: VigilanceOptions) {
    const { interval = 3000, policyInterval = interval } = options;
    this.heads = options.heads;
    this.interval = interval;
    this.policyInterval = Math.min(interval, policyInterval);
    this.awayInterval = Math.min(options.awayInterval ?? 500, this.policyInterval);
    this.logger = options.logger;
    this.clock = options.clock ?? systemClock;
    this.checks = (options.metrics ?? noMetrics).counter(
      'weft_vigilance_checks_total',
      'Comparisons of the open documents with the heads of their logs',
      ['result'],
    );
  }

  /** Milliseconds since the heads and revisions were last known; `undefined` before the first time. */
  get age(): number | undefined {
    return this.lastSuccess === undefined ? undefined : this.clock.now() - this.lastSuccess;
  }

  async start(): Promise<void> {
    this.running = true;
    this.schedule();
  }

  async stop(): Promise<void> {
    this.running = false;
    clearTimeout(this.timer);
    await this.checking;
  }

  watch(watched: Watched): Watching {
    const watch: Watch = { watched, policyRev: watched.policyRev, knownAt: performance.now() };
    this.watches.add(watch);
    return {
      committed: (rows) => {
        watch.knownAt = performance.now();
        const policyRev = rows.at(-1)?.policyRev ?? 0;
        // An answer that took its time may be of before a change that is known already.
        if (policyRev > watch.policyRev) this.policyChanged(watch, policyRev);
      },
      end: () => this.watches.delete(watch),
    };
  }

  /** Rows are not being delivered: look more often. */
  deliveryLost(): void {
    this.away = true;
    if (this.running) this.schedule();
  }

  /** Rows are delivered again: what was missed is looked for at once. */
  deliveryBack(): void {
    this.away = false;
    if (this.running) void this.checkNow();
  }

  /** Resolves when a check that began after the call is over; never rejects. */
  async checkNow(): Promise<void> {
    while (this.checking) await this.checking;
    clearTimeout(this.timer);
    this.checking = this.check().finally(() => {
      this.checking = undefined;
      if (this.running) this.schedule();
    });
    await this.checking;
  }

  private schedule(): void {
    clearTimeout(this.timer);
    // Node cuts fractions off: it would be early, and wake up for nothing.
    this.timer = setTimeout(() => this.checkIfDue(), Math.max(1, Math.ceil(this.dueAt - performance.now())));
    this.timer.unref();
  }

  private checkIfDue(): void {
    if (performance.now() < this.dueAt) this.schedule();
    else void this.checkNow();
  }

  /**
   * By `performance.now()`. A look costs an otherwise idle instance more than all else it does together, so what its own
   * commits tell is not asked for; what they cannot tell is, every now and then.
   */
  private get dueAt(): number {
    if (this.away) return this.askedAt + this.awayInterval;
    let due = this.askedAt + this.interval;
    for (const { knownAt } of this.watches) due = Math.min(due, knownAt + this.policyInterval);
    return Math.max(due, this.askedAt + this.policyInterval);
  }

  private async check(): Promise<void> {
    const asked = [...this.watches].map((watch) => ({ watch, cursor: watch.watched.position.cursor }));
    const askedAt = this.clock.now();
    this.askedAt = performance.now();
    try {
      // Also when nothing is open: the log then looks whether it still talks to the same database.
      for (let from = 0; from === 0 || from < asked.length; from += IDS_PER_QUERY) {
        const part = asked.slice(from, from + IDS_PER_QUERY);
        const heads = await this.heads(part.map(({ watch }) => watch.watched.id));
        for (const { watch, cursor } of part) {
          watch.knownAt = Math.max(watch.knownAt, this.askedAt);
          this.compare(watch, cursor, heads.get(watch.watched.id));
        }
      }
      this.lastSuccess = askedAt;
      this.succeeded();
    } catch (error) {
      this.failed(error);
    }
  }

  private compare(watch: Watch, asked: Cursor | undefined, head: DocumentHead | undefined): void {
    // It may have been left, or loaded again, while the log was asked.
    if (!asked || !this.watches.has(watch)) return;
    const { position } = watch.watched;
    if (!head) return position.observeDeleted(asked);
    position.observeHead({ epoch: head.epoch, seq: head.head }, asked);
    if (head.policyRev !== watch.policyRev && this.watches.has(watch))
      this.policyChanged(watch, head.policyRev);
  }

  private policyChanged(watch: Watch, policyRev: number): void {
    watch.policyRev = policyRev;
    watch.watched.policyChanged(policyRev);
  }

  private succeeded(): void {
    this.checks.inc({ result: 'ok' });
    if (this.failing) this.logger.info({}, 'The heads of the log can be read again');
    this.failing = false;
  }

  private failed(error: unknown): void {
    this.checks.inc({ result: 'failed' });
    if (!this.failing) this.logger.warn({ err: error }, 'The heads of the log cannot be read');
    this.failing = true;
  }
}
