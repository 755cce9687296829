import {
  checkOut,
  WeftError,
  noMetrics,
  systemClock,
  type Clock,
  type Counter,
  type DocumentKey,
  type Logger,
  type Metrics,
  type Service,
} from '@weft/common';
import type pg from 'pg';
import { LogReader, RowsMissingError } from '../reader.ts';
import {
  documentsToCompact,
  documentsToPrune,
  dropOldSnapshots,
  pruneRows,
  reap,
  storeSnapshot,
  type Candidate,
  type Retention,
} from './compaction-queries.ts';
import { SnapshotBuilder, SnapshotError } from './snapshot-builder.ts';

export interface CompactorOptions {
  readonly pool: pg.Pool;
  readonly logger: Logger;
  readonly metrics?: Metrics;
  readonly clock?: Clock;
  /** Milliseconds between two looks at the documents. */
  readonly intervalMs?: number;
  /** A snapshot is due after so many rows … */
  readonly minRows?: number;
  /** … or so many bytes. */
  readonly minBytes?: number;
  readonly keepSnapshots?: number;
  /**
   * Which rows may go. A row goes when each limit given here lets it go and every kept snapshot holds it. Without
   * a limit all rows stay.
   */
  readonly retention?: Retention;
  /** Milliseconds that building one snapshot may take. */
  readonly timeoutMs?: number;
  /** Megabytes for building one snapshot. */
  readonly memoryMb?: number;
}

export const compactorDefaults = {
  intervalMs: 15_000,
  minRows: 500,
  minBytes: 1024 * 1024,
  keepSnapshots: 2,
  retention: {},
  timeoutMs: 120_000,
  memoryMb: 1_024,
} as const;

const DOCUMENTS_PER_ROUND = 50;
const ROWS_PER_SNAPSHOT = 20_000;
const BYTES_PER_SNAPSHOT = 64 * 1024 * 1024;
const ROWS_PER_DELETE = 1_000;
/** A document that cannot be made a snapshot of is left alone for so long. */
const PENANCE_MS = 3_600_000;

/**
 * Makes loading short: writes snapshots in the background, lets old rows go, and removes what deleted documents
 * left. Runs in any number of processes at once; an advisory lock keeps two off the same document, and were it
 * lost, the same work would be done twice and nothing else.
 */
export class Compactor implements Service {
  private readonly options: Required<Omit<CompactorOptions, 'metrics'>>;
  private readonly reader: LogReader;
  private readonly builder: SnapshotBuilder;
  private readonly snapshots: Counter;
  private readonly rounds: Counter;
  private readonly pruned: Counter;
  private readonly failed = new Map<number, number>();
  private timer: NodeJS.Timeout | undefined;
  private round: Promise<void> | undefined;
  private stopped = false;
  private lastFailed = false;

  constructor({ metrics = noMetrics, ...options }: CompactorOptions) {
    this.options = { clock: systemClock, ...compactorDefaults, ...options };
    this.reader = new LogReader(options.pool);
    this.builder = new SnapshotBuilder(this.options);
    this.snapshots = metrics.counter('weft_log_snapshots_total', 'Snapshots written.', ['result']);
    this.rounds = metrics.counter('weft_compaction_rounds_total', 'Looks at all documents.', ['result']);
    this.pruned = metrics.counter('weft_compaction_pruned_rows_total', 'Rows whose retention was over.');
  }

  /** Whether the last look at the documents could not be finished. */
  get failing(): boolean {
    return this.lastFailed;
  }

  async start(): Promise<void> {
    this.stopped = false;
    this.next();
  }

  async stop(): Promise<void> {
    this.stopped = true;
    clearTimeout(this.timer);
    await this.round;
    await this.builder.close();
  }

  /** One look at all documents. Never rejects: what fails is logged and tried again another time. */
  async run(): Promise<void> {
    try {
      await this.look();
      this.lastFailed = false;
    } catch (error) {
      this.lastFailed = true;
      this.options.logger.warn({ err: error }, 'compaction could not look at the documents');
    }
    this.rounds.inc({ result: this.lastFailed ? 'failed' : 'ok' });
  }

  private async look(): Promise<void> {
    const { pool, minRows, minBytes, retention } = this.options;
    while (!this.stopped && (await reap(pool, ROWS_PER_DELETE)));
    const due = await documentsToCompact(pool, {
      rows: minRows,
      bytes: minBytes,
      limit: DOCUMENTS_PER_ROUND,
    });
    for (const candidate of due) await this.attend(candidate, (client) => this.compact(client, candidate));
    if (retention.rows === undefined && retention.ms === undefined) return;
    const old = await documentsToPrune(pool, { retention, limit: DOCUMENTS_PER_ROUND });
    for (const candidate of old) await this.attend(candidate, (client) => this.prune(client, candidate.id));
  }

  private next(): void {
    if (this.stopped) return;
    this.timer = setTimeout(() => {
      this.round = this.run().finally(() => this.next());
    }, this.options.intervalMs);
    this.timer.unref();
  }

  /** Does something to a document that nobody else is at, and keeps its failure from the others. */
  private async attend(
    { id, key }: Candidate,
    work: (client: pg.PoolClient) => Promise<void>,
  ): Promise<void> {
    const { pool, logger, clock } = this.options;
    if (this.stopped || (this.failed.get(id) ?? 0) > clock.now()) return;
    const client = await checkOut(() => pool.connect());
    let broken = false;
    try {
      if (await tryLock(client, id)) {
        await work(client);
        await unlock(client, id);
      }
    } catch (error) {
      // The lock goes with the connection.
      broken = true;
      if (isDeleted(error)) return;
      if (isLasting(error)) this.failed.set(id, clock.now() + PENANCE_MS);
      this.snapshots.inc({ result: 'failed' });
      logger.error({ err: error, document: key }, 'a document could not be compacted');
    } finally {
      client.release(broken);
    }
  }

  private async compact(client: pg.PoolClient, { id, key }: Candidate): Promise<void> {
    // In portions, so that the first snapshot of a long history needs no more memory than the tenth.
    for (let more = true; more && !this.stopped;) more = await this.snapshot(key);
    await dropOldSnapshots(client, id, this.options.keepSnapshots);
    this.failed.delete(id);
  }

  /** Resolves to whether there is more to take in. */
  private async snapshot(key: DocumentKey): Promise<boolean> {
    const limits = { rows: ROWS_PER_SNAPSHOT, bytes: BYTES_PER_SNAPSHOT };
    const grown = await this.reader.sinceSnapshot(key, limits);
    const { id, epoch, seq, bytes, head } = grown;
    if (seq === grown.snapshotSeq) return false;
    const state = await this.builder.build(grown);
    const stored = await storeSnapshot(this.options.pool, { id, epoch, seq, state, bytes });
    this.snapshots.inc({ result: stored ? 'stored' : 'outdated' });
    this.options.logger.debug({ document: key, seq, bytes: state.byteLength }, 'snapshot');
    return stored && seq < head;
  }

  private async prune(client: pg.PoolClient, id: number): Promise<void> {
    const { retention } = this.options;
    let deleted = ROWS_PER_DELETE;
    while (deleted === ROWS_PER_DELETE && !this.stopped) {
      deleted = await pruneRows(client, { id, retention, limit: ROWS_PER_DELETE });
      this.pruned.inc({}, deleted);
    }
  }
}

/** Somebody's wish, and no trouble: what is left of it goes another way. */
function isDeleted(error: unknown): boolean {
  return error instanceof WeftError && error.code === 'document-not-found';
}

/** It will fail again in the next round, unlike what fails because the database is away. */
function isLasting(error: unknown): boolean {
  return error instanceof SnapshotError || error instanceof RowsMissingError;
}

/** Of the session: held across transactions, so that none has to stay open while a snapshot is built. */
async function tryLock(client: pg.PoolClient, id: number): Promise<boolean> {
  const { rows } = await client.query<{ locked: boolean }>(
    "SELECT pg_try_advisory_lock(hashtextextended('weft compaction', $1)) AS locked",
    [id],
  );
  return rows[0]?.locked === true;
}

async function unlock(client: pg.PoolClient, id: number): Promise<void> {
  await client.query("SELECT pg_advisory_unlock(hashtextextended('weft compaction', $1))", [id]);
}
