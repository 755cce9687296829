import { randomUUID } from 'node:crypto';
import { SYSTEM_ACTOR, WeftError, type CommittedUpdate, type DocumentKey } from '@weft/common';
import type { DocumentBatch } from './append-statement.ts';
import { toRows } from './rows.ts';
import type { AppendEntry, DocumentLogEvents, DocumentMode, Reauthorization } from './types.ts';

/** Memory that an entry takes besides its bytes, so that a flood of tiny ones is bounded too. */
const ENTRY_OVERHEAD = 256;

export function weight(entry: AppendEntry): number {
  return entry.update.byteLength + ENTRY_OVERHEAD;
}

interface QueuedEntry extends AppendEntry {
  readonly ticket: number;
  /** The object that was appended, by which its owner knows it again. */
  readonly given: AppendEntry;
}

/** A document's part of a batch, with the entries it was made of. */
export interface QueuedBatch extends DocumentBatch {
  readonly queue: DocumentQueue;
  readonly entries: readonly QueuedEntry[];
  /**
   * Where the document's log is guessed to stand; `undefined` where the last guess was wrong: others write to it at the
   * same time.
   */
  readonly guess: number | undefined;
  /** The guess of an attempt that failed, and may still reach the database. */
  readonly failedGuess: number | undefined;
}

export interface BatchLimits {
  readonly maxBatchRows: number;
  readonly maxBatchBytes: number;
  readonly maxRowBytes: number;
}

export interface DocumentQueueOptions {
  readonly key: DocumentKey;
  readonly id: number;
  readonly epoch: number;
  readonly mode: DocumentMode;
  /** The newest seq when the document was opened. */
  readonly seq: number;
  readonly events: DocumentLogEvents;
}

interface Waiter {
  readonly ticket: number;
  readonly resolve: () => void;
  readonly reject: (error: WeftError) => void;
}

/** What one handle of a document wants to have written, in order. Knows nothing of when and where. */
export class DocumentQueue {
  readonly key: DocumentKey;
  readonly id: number;
  readonly epoch: number;
  /** As it was opened. */
  readonly mode: DocumentMode;
  readonly events: DocumentLogEvents;
  /** Waits for its turn: set and cleared by the appender. */
  scheduled = false;
  pendingBytes = 0;
  error: WeftError | undefined;
  private knownSeq: number;
  private rumouredSeq = 0;
  /** Where the log was guessed to stand when the batch in flight was taken. */
  private guess = 0;
  private guessesRight = true;
  private entries: QueuedEntry[] = [];
  private inFlight = 0;
  private tickets = 0;
  private settledThrough = 0;
  private waiters: Waiter[] = [];

  constructor({ key, id, epoch, mode, seq, events }: DocumentQueueOptions) {
    this.key = key;
    this.id = id;
    this.epoch = epoch;
    this.mode = mode;
    this.knownSeq = seq;
    this.events = events;
  }

  /** The log has at least so many rows. */
  get known(): number {
    return this.knownSeq;
  }

  get pendingEntries(): number {
    return this.entries.length + this.inFlight;
  }

  get hasWork(): boolean {
    return this.entries.length > 0 && this.inFlight === 0 && !this.error;
  }

  push(entry: AppendEntry): number {
    const ticket = ++this.tickets;
    this.entries.push({ ...entry, ticket, given: entry });
    this.pendingBytes += weight(entry);
    return ticket;
  }

  /** Rows of others up to `seq` exist. Only shortens the search for a lost answer's rows. */
  observe(seq: number): void {
    if (seq > this.knownSeq) this.knownSeq = seq;
  }

  /**
   * Others are said to have written up to `seq`. Only ever used to guess: whoever says so may be mistaken, and from
   * what is known to exist follows what has been lost.
   */
  expect(seq: number): void {
    if (seq > this.rumouredSeq) this.rumouredSeq = seq;
  }

  /** Takes the next run of entries that share a permission revision. */
  take({ maxBatchRows, maxBatchBytes, maxRowBytes }: BatchLimits): QueuedBatch {
    const policyRev = this.entries[0]?.policyRev ?? 0;
    let count = 0;
    let bytes = 0;
    for (const entry of this.entries) {
      bytes += entry.update.byteLength;
      if (count > 0 && (entry.policyRev !== policyRev || count >= maxBatchRows || bytes > maxBatchBytes))
        break;
      count++;
    }
    const entries = this.entries.splice(0, count);
    this.inFlight = entries.length;
    this.guess = Math.max(this.knownSeq, this.rumouredSeq);
    return {
      queue: this,
      entries,
      guess: this.guessesRight ? this.guess : undefined,
      failedGuess: undefined,
      document: this.id,
      epoch: this.epoch,
      known: this.knownSeq,
      policyRev,
      batch: randomUUID(),
      rows: toRows(entries, maxRowBytes),
    };
  }

  /** The batch is durable, or came to nothing (no `place`). Returns the bytes that no longer wait. */
  commit(batch: QueuedBatch, instance: string, place?: { firstSeq: number; at: Date }): number {
    // Failed meanwhile: nobody expects these any more, and their bytes have been given back.
    if (this.error) return 0;
    const committed = place ? toCommitted(batch, instance, place) : [];
    if (place) this.guessesRight = place.firstSeq === this.guess + 1;
    this.observe(committed.at(-1)?.seq ?? 0);
    const bytes = batch.entries.reduce((sum, entry) => sum + weight(entry), 0);
    this.pendingBytes -= bytes;
    this.inFlight = 0;
    this.settledThrough = batch.entries.at(-1)?.ticket ?? this.settledThrough;
    this.events.committed(committed, this.settledThrough);
    this.wake();
    return bytes;
  }

  /** Asks again for everything that was authorized under another revision. Returns the change in bytes. */
  async reauthorize(batch: QueuedBatch, policyRev: number): Promise<number> {
    const old = (entry: QueuedEntry) => entry.policyRev !== policyRev;
    const asked = [...batch.entries, ...this.entries].filter(old);
    const answers = await this.events.reauthorize(
      policyRev,
      asked.map(({ given }) => given),
    );
    if (this.error) return 0;
    if (answers.length !== asked.length)
      throw new WeftError('internal', { detail: 'reauthorize: answers missing' });
    const decided = new Map(
      asked.map((entry, index) => [entry.ticket, decide(entry, answers[index], policyRev)]),
    );
    this.entries = [...batch.entries, ...this.entries].map((entry) => decided.get(entry.ticket) ?? entry);
    this.inFlight = 0;
    const before = this.pendingBytes;
    this.pendingBytes = this.entries.reduce((sum, entry) => sum + weight(entry), 0);
    return this.pendingBytes - before;
  }

  /** Ends the queue. Returns the bytes that no longer wait. */
  fail(error: WeftError): number {
    if (this.error) return 0;
    const bytes = this.pendingBytes;
    this.error = error;
    this.entries = [];
    this.inFlight = 0;
    this.pendingBytes = 0;
    for (const { reject } of this.waiters.splice(0)) reject(error);
    this.events.failed(error);
    return bytes;
  }

  /** Resolves when every ticket handed out so far is settled. */
  flush(): Promise<void> {
    if (this.error) return Promise.reject(this.error);
    if (this.settledThrough >= this.tickets) return Promise.resolve();
    return new Promise((resolve, reject) => {
      this.waiters.push({ ticket: this.tickets, resolve, reject });
    });
  }

  private wake(): void {
    while (this.waiters[0] && this.waiters[0].ticket <= this.settledThrough) this.waiters.shift()?.resolve();
  }
}

function toCommitted(
  { queue, rows, policyRev }: QueuedBatch,
  instance: string,
  { firstSeq, at }: { firstSeq: number; at: Date },
): CommittedUpdate[] {
  return rows.map(({ update, actor, session, kind }, index) => ({
    document: queue.key,
    epoch: queue.epoch,
    seq: firstSeq + index,
    actor,
    session,
    instance,
    kind,
    policyRev,
    at,
    update,
  }));
}

function decide(entry: QueuedEntry, answer: Reauthorization | undefined, policyRev: number): QueuedEntry {
  if (answer?.verdict === 'commit') return { ...entry, policyRev };
  const replacement = {
    update: answer?.update ?? new Uint8Array(),
    actor: SYSTEM_ACTOR,
    session: entry.session,
    kind: 'system',
    policyRev,
  } satisfies AppendEntry;
  return { ...replacement, ticket: entry.ticket, given: replacement };
}
