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
import { DatabaseLineage, type DatabaseIdentity, type Verdict, type Witnesses } from './database-lineage.ts';
import { DocumentQueue } from './document-queue.ts';
import { readHeads } from './heads.ts';
import { createMeters } from './meters.ts';
import { OpenDocument, guarded } from './open-document.ts';
import { LogReader, type BeforeLimits, type LogRow, type UpdatePage } from './reader.ts';
import { renewEpochs } from './renew-epochs.ts';
import type { DocumentHead, DocumentLog, DocumentLogEvents, LogStats, Queryable } from './types.ts';

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
  gatherMs: 50,
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
  private readonly lineage = new DatabaseLineage();
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
      verify: (client) => this.verify(client),
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
    const { id, epoch, mode, seq } = stored;
    const seen = this.witnessed(id, key, events);
    const queue = new DocumentQueue({ key, id, epoch, mode, seq, events: seen });
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

  private witnessed(id: number, key: DocumentKey, events: DocumentLogEvents): DocumentLogEvents {
    const safe = guarded(events, key, this.logger);
    return {
      ...safe,
      committed: (rows, throughTicket) => {
        this.lineage.committed(id, rows);
        safe.committed(rows, throughTicket);
      },
    };
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
   * that turns out to be deleted, to have another history, or to be in another mode fails. When the database turns out
   * to have been put back, all its documents get a new epoch.
   */
  async heads(ids: readonly number[]): Promise<Map<number, DocumentHead>> {
    const asked = new Set(ids);
    // What is known before asking: a commit of our own that overtakes the answer must not look like rows that vanished.
    const open = [...this.queues]
      .filter(({ id, error }) => asked.has(id) && !error)
      .map((queue) => ({ queue, known: queue.known }));
    const { heads, verdict } = await this.look(this.pool, ids, this.witnesses(open));
    if (verdict !== 'another')
      for (const { queue, known } of open) this.compare(queue, known, heads.get(queue.id));
    return heads;
  }

  /**
   * Before anything is appended on a new connection: behind it may be another server than before, one that lacks the
   * last rows. The next row would take the place of one of them, and nothing would look wrong afterwards.
   */
  private async verify(client: Queryable): Promise<void> {
    const witnesses = this.lineage.witnesses();
    if (witnesses.size === 0) return;
    await this.look(client, [], witnesses);
  }

  private async look(db: Queryable, ids: readonly number[], witnesses: Witnesses): Promise<Look> {
    const { database, heads, committedAt } = await readHeads(db, ids, witnesses);
    const verdict = this.lineage.judge({ database, heads, committedAt, witnesses });
    if (verdict === 'put-back') await this.beginAnew(database);
    this.lineage.accept(database, verdict);
    if (verdict === 'another') this.abandonAll();
    return { heads, verdict };
  }

  stats(): LogStats {
    let pendingEntries = 0;
    for (const queue of this.queues) pendingEntries += queue.pendingEntries;
    return {
      pendingBytes: this.appender.bytes,
      pendingEntries,
      openDocuments: this.queues.size,
      degradedSince: this.appender.degradedSince,
      degradedBy: this.appender.degradedBy,
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

  private witnesses(open: readonly { queue: DocumentQueue; known: number }[]): Witnesses {
    const witnesses = new Map(this.lineage.witnesses());
    for (const { queue, known } of open) {
      if (known > (witnesses.get(queue.id)?.seq ?? 0))
        witnesses.set(queue.id, { epoch: queue.epoch, seq: known });
    }
    return witnesses;
  }

  private compare(queue: DocumentQueue, known: number, head: DocumentHead | undefined): void {
    if (!head) return this.appender.fail(queue, new WeftError('document-deleted'));
    const same = head.epoch === queue.epoch && head.head >= known;
    // Another instance has changed the mode, and what is open here goes by the one that it was opened in.
    if (same && head.mode === queue.mode) return queue.observe(head.head);
    this.appender.fail(queue, new WeftError('document-reload'));
  }

  /** Rows that were there are gone: whatever gets their numbers from now on belongs to another history. */
  private async beginAnew({ generation }: DatabaseIdentity): Promise<void> {
    const documents = await renewEpochs(this.pool, { generation });
    if (documents === undefined) return;
    this.logger.error({ documents }, 'the database has been put back: every document has a new epoch');
  }

  /** Nothing that is known of documents and their numbers holds in this database. */
  private abandonAll(): void {
    this.logger.error({ documents: this.queues.size }, 'this is another database than before');
    for (const queue of [...this.queues]) this.appender.fail(queue, new WeftError('document-reload'));
  }

  private checkAccepting(): void {
    if (!this.accepting) throw new WeftError('server-draining');
  }
}

interface Look {
  readonly heads: Map<number, DocumentHead>;
  readonly verdict: Verdict;
}

export interface ReadOptions {
  readonly after?: Cursor | undefined;
  readonly limit?: number | undefined;
}
