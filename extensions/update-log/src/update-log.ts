import { setTimeout as delay } from 'node:timers/promises';
import {
  WeftError,
  noMetrics,
  systemClock,
  type Clock,
  type Cursor,
  type DocumentKey,
  type Logger,
  type Metrics,
} from '@weft/common';
import type pg from 'pg';
import { Appender } from './appender.ts';
import { DocumentQueue } from './document-queue.ts';
import { createMeters } from './meters.ts';
import { OpenDocument, guarded } from './open-document.ts';
import { LogReader, type BeforeLimits, type LogRow, type UpdatePage } from './reader.ts';
import type { DocumentHead, DocumentLog, DocumentLogEvents, LogStats } from './types.ts';

export interface UpdateLogOptions {
  readonly pool: pg.Pool;
  /** Names this process in the rows that it writes. */
  readonly instance: string;
  readonly logger: Logger;
  readonly metrics?: Metrics;
  readonly clock?: Clock;
  /** Called after each commit, before it is told to anybody. */
  readonly syncToDisk?: () => Promise<void>;
  /** Transactions in flight at once. */
  readonly lanes?: number;
  /** Milliseconds that a batch waits for company at most; it does only where company is to be expected. */
  readonly gatherMs?: number;
  /** Bytes of everything that waits to be committed. */
  readonly maxPendingBytes?: number;
  readonly maxBatchRows?: number;
  readonly maxBatchBytes?: number;
  /** Bytes up to which neighbours are merged into one row. */
  readonly maxRowBytes?: number;
  /** Milliseconds after which a commit counts as lost and is asked for again. */
  readonly commitTimeoutMs?: number;
  /** Milliseconds between two attempts, at first. */
  readonly retryMinMs?: number;
  readonly retryMaxMs?: number;
}

export const updateLogDefaults = {
  lanes: 1,
  gatherMs: 5,
  maxPendingBytes: 64 * 1024 * 1024,
  maxBatchRows: 1_000,
  maxBatchBytes: 4 * 1024 * 1024,
  maxRowBytes: 64 * 1024,
  commitTimeoutMs: 30_000,
  retryMinMs: 50,
  retryMaxMs: 5_000,
} as const;

const PAGE_ROWS = 500;
const MAX_PAGE_ROWS = 5_000;
const PAGE_BYTES = 8 * 1024 * 1024;
const DRAIN_POLL_MS = 5;
const CARRIED_ROWS = 200;

/** The durable history of documents: what was committed, in order, and nothing else. */
export class UpdateLog {
  private readonly clock: Clock;
  private readonly logger: Logger;
  private readonly appender: Appender;
  private readonly reader: LogReader;
  private readonly pool: pg.Pool;
  private readonly queues = new Set<DocumentQueue>();
  private accepting = true;

  constructor(options: UpdateLogOptions) {
    this.clock = options.clock ?? systemClock;
    this.logger = options.logger;
    this.pool = options.pool;
    this.reader = new LogReader(options.pool);
    this.appender = new Appender({
      ...updateLogDefaults,
      syncToDisk: () => Promise.resolve(),
      ...options,
      meters: createMeters(options.metrics ?? noMetrics),
      now: () => this.clock.now(),
    });
  }

  /**
   * Loads a document and opens its way into the log.
   * @throws WeftError `document-not-found`; `server-draining` after stop. Database errors as they are.
   */
  async open(key: DocumentKey, events: DocumentLogEvents): Promise<DocumentLog> {
    this.checkAccepting();
    const stored = await this.reader.load(key);
    this.checkAccepting();
    const { id, epoch, seq } = stored;
    const queue = new DocumentQueue({ key, id, epoch, seq, events: guarded(events, key, this.logger) });
    this.queues.add(queue);
    return new OpenDocument({
      queue,
      stored,
      append: (entry) => {
        this.checkAccepting();
        return this.appender.append(queue, entry);
      },
      closed: () => this.queues.delete(queue),
    });
  }

  /**
   * Rows after a cursor, in the order of the log, never with a gap. Without `after`: from the oldest row kept.
   * @throws WeftError `cursor-epoch`, `cursor-pruned` (with `data: {current, snapshot}`), `document-not-found`
   */
  readUpdates(key: DocumentKey, { after, limit = PAGE_ROWS }: ReadOptions = {}): Promise<UpdatePage> {
    const rows = Math.max(1, Math.min(limit, MAX_PAGE_ROWS));
    return this.reader.page(key, after, { rows, bytes: PAGE_BYTES });
  }

  /**
   * The newest rows up to `through` of an open document: at most so many, and so many bytes. Empty when they are no
   * longer kept, or the document has another epoch by now.
   */
  readBefore(document: Pick<DocumentLog, 'id' | 'epoch'>, limits: BeforeLimits): Promise<LogRow[]> {
    return this.reader.before(document, limits);
  }

  /** The whole document as one update. @throws WeftError `document-not-found` */
  readState(key: DocumentKey): Promise<{ epoch: number; seq: number; update: Uint8Array }> {
    return this.reader.state(key);
  }

  /** The newest `carried` rows of an open document that are still kept, as updates, the newest first. */
  readCarried(documentId: number): Promise<Uint8Array[]> {
    return this.reader.carried(documentId, { rows: CARRIED_ROWS, bytes: PAGE_BYTES });
  }

  /**
   * Where documents stand, by id, in one query. An id that is missing in the answer has been deleted. An open document
   * that turns out to be deleted or to have another history fails.
   */
  async heads(ids: readonly number[]): Promise<Map<number, DocumentHead>> {
    const asked = new Set(ids);
    // What is known before asking: a commit of our own that overtakes the answer must not look like rows that vanished.
    const open = [...this.queues]
      .filter(({ id }) => asked.has(id))
      .map((queue) => ({ queue, known: queue.known }));
    const { rows } = await this.pool.query<{ id: string; epoch: string; head: string; policy_rev: string }>({
      name: 'weft_heads',
      text: 'SELECT id, epoch, head, policy_rev FROM documents WHERE id = ANY ($1)',
      values: [ids],
    });
    const heads = new Map(
      rows.map((row) => [
        Number(row.id),
        { epoch: Number(row.epoch), head: Number(row.head), policyRev: Number(row.policy_rev) },
      ]),
    );
    for (const { queue, known } of open) await this.compare(queue, known, heads.get(queue.id));
    return heads;
  }

  stats(): LogStats {
    let pendingEntries = 0;
    for (const queue of this.queues) pendingEntries += queue.pendingEntries;
    return {
      pendingBytes: this.appender.bytes,
      pendingEntries,
      openDocuments: this.queues.size,
      degradedSince: this.appender.degradedSince,
    };
  }

  /**
   * Takes no more entries and commits those it has. What the database has not taken within `timeoutMs` fails with
   * `log-unavailable`: it was never acknowledged, and its authors still have it.
   */
  async stop({ timeoutMs = 10_000 }: { readonly timeoutMs?: number } = {}): Promise<void> {
    this.accepting = false;
    const deadline = this.clock.now() + timeoutMs;
    while (this.appender.bytes > 0 && this.clock.now() < deadline) await delay(DRAIN_POLL_MS);
    await this.appender.stop();
    for (const queue of this.queues)
      if (queue.pendingEntries > 0) queue.fail(new WeftError('log-unavailable'));
    this.queues.clear();
  }

  private async compare(queue: DocumentQueue, known: number, head: DocumentHead | undefined): Promise<void> {
    if (!head) return this.appender.fail(queue, new WeftError('document-deleted'));
    if (head.epoch === queue.epoch && head.head >= known) return queue.observe(head.head);
    if (head.epoch === queue.epoch) await this.renewEpoch(queue, known);
    this.appender.fail(queue, new WeftError('document-reload'));
  }

  /** Rows that were there are gone: whatever gets their numbers from now on belongs to another history. */
  private async renewEpoch({ id, epoch }: DocumentQueue, known: number): Promise<void> {
    await this.pool.query(
      `UPDATE documents SET epoch = greatest(epoch + 1, (extract(epoch FROM clock_timestamp()) * 1000)::bigint)
       WHERE id = $1 AND epoch = $2 AND head < $3`,
      [id, epoch, known],
    );
  }

  private checkAccepting(): void {
    if (!this.accepting) throw new WeftError('server-draining');
  }
}

export interface ReadOptions {
  readonly after?: Cursor | undefined;
  readonly limit?: number | undefined;
}
