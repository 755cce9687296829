import type { CommittedUpdate } from '@weft/common';
import type { DocumentHead } from './types.ts';

/** Which database answered. See `weft_database` in sql/0103_database.sql. */
export interface DatabaseIdentity {
  readonly id: string;
  readonly generation: number;
}

/** A row that the database has told to be committed. */
export interface Witness {
  readonly epoch: number;
  readonly seq: number;
  /** When, in milliseconds since 1970; `undefined` where only its number is known. */
  readonly at?: number;
}

export type Witnesses = ReadonlyMap<number, Witness>;

export interface Observation {
  readonly database: DatabaseIdentity;
  readonly heads: ReadonlyMap<number, DocumentHead>;
  /** When the row of each document's witness was committed, as far as it is still kept. */
  readonly committedAt: ReadonlyMap<number, number>;
  /** As they were before the database was asked: what was committed meanwhile may be missing in its answer. */
  readonly witnesses: Witnesses;
}

/**
 * - `same`: the database that was there before.
 * - `put-back`: the same at an older state. Every document needs a new epoch, those too that nobody has open.
 * - `renewed`: the same, and after it was put back somebody has given all documents a new epoch.
 * - `another`: a database that has nothing to do with the one before.
 */
export type Verdict = 'same' | 'put-back' | 'renewed' | 'another';

/** What a database loses when it is put back it loses from the end: the newest commits are the first to go. */
const MAX_WITNESSES = 64;

/**
 * Remembers of the database what it must still have: its identity and the newest rows that were committed through
 * this process. A time line or a system identifier would not do: a failover that lost nothing changes them, and a
 * restore into the same cluster does not.
 */
export class DatabaseLineage {
  private identity: DatabaseIdentity | undefined;
  private readonly newest = new Map<number, Witness>();

  committed(document: number, rows: readonly CommittedUpdate[]): void {
    const last = rows.at(-1);
    if (!last) return;
    this.newest.delete(document);
    this.newest.set(document, { epoch: last.epoch, seq: last.seq, at: last.at.getTime() });
    const [oldest] = this.newest.keys();
    if (this.newest.size > MAX_WITNESSES && oldest !== undefined) this.newest.delete(oldest);
  }

  /** To be asked for with the heads. */
  witnesses(): Witnesses {
    return new Map(this.newest);
  }

  /** Compares; nothing changes before {@link accept}. */
  judge({ database, heads, committedAt, witnesses }: Observation): Verdict {
    const before = this.identity;
    if (!before) return 'same';
    if (database.id !== before.id) return 'another';
    if (database.generation < before.generation) return 'put-back';
    let verdict: Verdict = 'same';
    for (const [document, { epoch, seq, at }] of witnesses) {
      // A document that is gone may have been deleted.
      const head = heads.get(document);
      if (!head) continue;
      // Somebody who knew nothing of the row may have written another in its place.
      const now = committedAt.get(document);
      const replaced = at !== undefined && now !== undefined && now !== at;
      if (head.head >= seq && !replaced) continue;
      // Nobody has renewed anything since if even this epoch is the old one.
      if (head.epoch === epoch || database.generation === before.generation) return 'put-back';
      verdict = 'renewed';
    }
    return verdict;
  }

  /** What was remembered is of a history that is over, unless the database is the same. */
  accept(database: DatabaseIdentity, verdict: Verdict): void {
    this.identity = database;
    if (verdict !== 'same') this.newest.clear();
  }
}
