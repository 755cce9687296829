import { WeftError, type CommittedUpdate, type Cursor } from '@weft/common';
import { HeldRows } from './held-rows.ts';

/** Why a document's rows can no longer be followed: it has to be loaded again. */
export type LostReason =
  /** The history is another one: the document was made anew, or the database is back at an older state. */
  | 'epoch-changed'
  /** Rows that are missing here are no longer kept. */
  | 'rows-pruned'
  | 'document-deleted'
  /** A row of the log could not be applied. */
  | 'apply-failed';

export interface LogPage {
  readonly rows: readonly CommittedUpdate[];
  /** The newest seq there is. */
  readonly head: number;
}

export interface DocumentPositionPort {
  /**
   * The rows after `after`, in order and without a gap.
   * @throws WeftError `cursor-epoch`, `cursor-pruned`, `document-not-found`; anything else is tried again.
   */
  readRows(after: Cursor, limit: number): Promise<LogPage>;
  /** Puts rows of other processes into the open document: consecutive ones but for those of this process. */
  apply(rows: readonly CommittedUpdate[]): void;
  /** Called once; the position takes nothing more. Must not throw. */
  lost(reason: LostReason): void;
  /** Rows had to be read from the log. Where a backplane is told that it does not deliver. */
  repaired?(rows: number): void;
}

export interface DocumentPositionOptions {
  readonly port: DocumentPositionPort;
  /** Bytes of updates held while a row before them is missing. More are dropped and read from the log later. */
  readonly maxHeldBytes?: number;
  /**
   * Milliseconds that a missing row may take to arrive before the log is asked. Instances publish after their
   * commit, so two that write at once overtake each other all the time.
   */
  readonly patience?: number;
  /** Rows per read. */
  readonly pageRows?: number;
  /** Milliseconds between attempts when a read fails: doubled from `min` to `max`. */
  readonly backOff?: { readonly min: number; readonly max: number };
}

/** A read that does not find what was announced is repeated so often: the announcement may have been garbage. */
const UNCONFIRMED_READS = 5;
/** Milliseconds. Messages of another epoch cause no more reads than this allows. */
const DOUBT_INTERVAL = 250;

/**
 * How far one open document has come in its log. Every row that another process committed is applied exactly
 * once and in order, however it arrives: published, published twice, out of order, or not at all.
 *
 * Rows of this process are in the document before they are committed, so they are only counted. They must not
 * advance the position past a row of another process that has not arrived: their numbers are remembered until
 * the position reaches them.
 */
export class DocumentPosition {
  private readonly port: DocumentPositionPort;
  private readonly patience: number;
  private readonly pageRows: number;
  private readonly backOff: { readonly min: number; readonly max: number };
  private state: 'loading' | 'open' | 'closed' = 'loading';
  private epoch = 0;
  private seq = 0;
  /** The highest seq that is said to exist. */
  private target = 0;
  private readonly own = new Set<number>();
  private readonly held: HeldRows;
  /** What a peer has said of its position meanwhile. */
  private hinted: Cursor | undefined;
  private reading: Promise<void> | undefined;
  private readAgain = false;
  private timer: NodeJS.Timeout | undefined;
  private doubtTimer: NodeJS.Timeout | undefined;
  private wake: (() => void) | undefined;

  constructor(options: DocumentPositionOptions) {
    this.port = options.port;
    this.held = new HeldRows(options.maxHeldBytes ?? 4 * 1024 * 1024);
    this.patience = options.patience ?? 25;
    this.pageRows = options.pageRows ?? 500;
    this.backOff = options.backOff ?? { min: 50, max: 2000 };
  }

  /** `undefined` before {@link open} and after {@link close}. */
  get cursor(): Cursor | undefined {
    return this.state === 'open' ? { epoch: this.epoch, seq: this.seq } : undefined;
  }

  /** Bytes held because rows before them are missing. */
  get waitingBytes(): number {
    return this.held.bytes;
  }

  /** The document has been loaded up to this position. What was received meanwhile follows. */
  open(cursor: Cursor): void {
    if (this.state !== 'loading') return;
    this.state = 'open';
    this.epoch = cursor.epoch;
    this.seq = cursor.seq;
    this.target = cursor.seq;
    for (const { epoch, seq } of this.held.all()) {
      if (epoch !== cursor.epoch || seq <= cursor.seq) this.held.take(seq);
      else this.target = Math.max(this.target, seq);
    }
    this.advance();
    if (this.hinted) this.hint(this.hinted);
    if (this.held.overflowed) void this.catchUp();
    else this.repairSoon();
  }

  /** Rows that another process has published. */
  receive(rows: readonly CommittedUpdate[]): void {
    if (this.state === 'closed') return;
    if (this.state === 'loading') {
      for (const row of rows) this.held.add(row, this.seq + 1);
      return;
    }
    if (rows.some((row) => row.epoch !== this.epoch)) this.doubt();
    for (const row of rows) {
      if (row.epoch !== this.epoch || row.seq <= this.seq || this.own.has(row.seq)) continue;
      this.held.add(row, this.seq + 1);
      this.target = Math.max(this.target, row.seq);
      // Each at once, or a batch larger than the bound could never pass.
      if (row.seq === this.seq + 1 && this.held.isOverfull) this.advance();
    }
    this.advance();
    this.repairSoon();
  }

  /** Rows that this process has committed: the document has them already. */
  committed(rows: readonly Pick<CommittedUpdate, 'epoch' | 'seq'>[]): void {
    if (this.state !== 'open') return;
    if (rows.some((row) => row.epoch !== this.epoch)) return this.lose('epoch-changed');
    for (const { seq } of rows) {
      if (seq <= this.seq) continue;
      this.held.take(seq);
      this.own.add(seq);
      this.target = Math.max(this.target, seq);
    }
    this.advance();
    this.repairSoon();
  }

  /** What a peer says of its position. It may be wrong, so the log decides. */
  hint(cursor: Cursor): void {
    if (this.state === 'loading' && cursor.seq > (this.hinted?.seq ?? 0)) this.hinted = cursor;
    if (this.state !== 'open') return;
    if (cursor.epoch !== this.epoch) return this.doubt();
    this.target = Math.max(this.target, cursor.seq);
    this.repairSoon();
  }

  /**
   * Where the log stands.
   * @param asked this position when the log was asked. Whatever a position has reached was committed before, so
   * a head behind it means that the database has gone back.
   */
  observeHead(head: Cursor, asked: Cursor): void {
    if (this.state !== 'open' || asked.epoch !== this.epoch) return;
    if (head.epoch !== this.epoch || head.seq < asked.seq) return this.lose('epoch-changed');
    this.target = Math.max(this.target, head.seq);
    this.repairSoon();
  }

  /** The log has no such document any more. */
  observeDeleted(asked: Cursor): void {
    if (this.state === 'open' && asked.epoch === this.epoch) this.lose('document-deleted');
  }

  /** Reads the log to its end now. Resolves when that is done, given up or over; never rejects. */
  catchUp(): Promise<void> {
    if (this.state !== 'open') return Promise.resolve();
    this.readAgain = true;
    this.wake?.();
    this.reading ??= this.readLoop();
    return this.reading;
  }

  close(): void {
    this.state = 'closed';
    clearTimeout(this.timer);
    clearTimeout(this.doubtTimer);
    this.wake?.();
    this.held.clear();
    this.own.clear();
  }

  private advance(): void {
    const ready: CommittedUpdate[] = [];
    for (;;) {
      const next = this.seq + 1;
      const row = this.held.take(next);
      if (!row && !this.own.has(next)) break;
      if (row) ready.push(row);
      this.own.delete(next);
      this.seq = next;
    }
    if (ready.length > 0) this.apply(ready);
  }

  private apply(rows: readonly CommittedUpdate[]): void {
    try {
      this.port.apply(rows);
    } catch {
      this.lose('apply-failed');
    }
  }

  private repairSoon(): void {
    if (this.state !== 'open' || this.seq >= this.target || this.timer || this.reading) return;
    this.timer = setTimeout(() => {
      this.timer = undefined;
      if (this.seq < this.target) void this.catchUp();
    }, this.patience);
    this.timer.unref();
  }

  /** A message of another epoch. It does not end the document by itself: the log is asked. */
  private doubt(): void {
    if (this.doubtTimer) return;
    this.doubtTimer = setTimeout(() => {
      this.doubtTimer = undefined;
      void this.catchUp();
    }, DOUBT_INTERVAL);
    this.doubtTimer.unref();
  }

  private async readLoop(): Promise<void> {
    let failures = 0;
    let unconfirmed = 0;
    while (this.state === 'open' && (this.readAgain || this.seq < this.target)) {
      this.readAgain = false;
      const read = await this.readToHead();
      if (read === 'failed') {
        this.readAgain = true;
        await this.pause(failures++);
      } else if (this.seq < this.target) {
        failures = 0;
        if (++unconfirmed >= UNCONFIRMED_READS) this.forgetUnconfirmed();
        else await this.pause(unconfirmed);
      }
    }
    // In the same turn as the last look at the target: what is announced a turn later starts a new loop.
    this.reading = undefined;
  }

  /** One way through the pages. */
  private async readToHead(): Promise<'read' | 'failed'> {
    let rows = 0;
    for (;;) {
      const { epoch, seq } = this;
      try {
        const page = await this.port.readRows({ epoch, seq }, this.pageRows);
        if (this.state !== 'open') return 'read';
        rows += this.take(page.rows);
        if (this.seq >= page.head || this.seq === seq) break;
      } catch (error) {
        const reason = lostBy(error);
        if (!reason) return 'failed';
        if (this.state === 'open') this.lose(reason);
        return 'read';
      }
    }
    if (rows > 0) this.port.repaired?.(rows);
    return 'read';
  }

  /** Rows of the log, which has no gaps. Returns how many were news. */
  private take(rows: readonly CommittedUpdate[]): number {
    const fresh: CommittedUpdate[] = [];
    for (const row of rows) {
      if (row.seq !== this.seq + 1 || row.epoch !== this.epoch) continue;
      this.seq = row.seq;
      this.held.take(row.seq);
      if (!this.own.delete(row.seq)) fresh.push(row);
    }
    if (fresh.length > 0) this.apply(fresh);
    this.advance();
    return fresh.length;
  }

  /** What the log does not have although it was announced was never committed. */
  private forgetUnconfirmed(): void {
    this.target = this.seq;
    this.held.clear();
  }

  private pause(attempt: number): Promise<void> {
    const wait = Math.min(this.backOff.max, this.backOff.min * 2 ** attempt);
    return new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, wait);
      timer.unref();
      // A new reason to read must not wait for the back-off of an old one.
      this.wake = () => {
        clearTimeout(timer);
        resolve();
      };
    }).then(() => {
      this.wake = undefined;
    });
  }

  private lose(reason: LostReason): void {
    if (this.state === 'closed') return;
    this.close();
    this.port.lost(reason);
  }
}

function lostBy(error: unknown): LostReason | undefined {
  if (!(error instanceof WeftError)) return undefined;
  if (error.code === 'cursor-epoch') return 'epoch-changed';
  if (error.code === 'cursor-pruned') return 'rows-pruned';
  if (error.code === 'document-not-found' || error.code === 'document-deleted') return 'document-deleted';
  return undefined;
}
