import type { ClockRange } from '@weft/common';
import * as Y from 'yjs';

export interface RecentLimits {
  readonly changes: number;
  readonly bytes: number;
}

/** Of an open document: a minute of several people typing. */
const RECENT_LIMITS: RecentLimits = { changes: 1_000, bytes: 64 * 1024 };

const CHANGE_OVERHEAD = 64;
const RANGE_BYTES = 32;
/**
 * Instances may apply changes of the last moments in different orders: each its own at once, those of others when
 * they are committed. Milliseconds, and how many deletions that is worth.
 */
const REORDERED = { within: 2_000, deletions: 500 } as const;

/** The clocks `from` … `to - 1` of one client, which a change brought. */
interface Run {
  readonly client: number;
  readonly from: number;
  to: number;
}

/** What of a change matters later: not its content, which the document has. */
interface Effect {
  /** Ascending per client. */
  readonly runs: readonly Run[];
  readonly deletions: readonly ClockRange[];
}

export interface Row {
  readonly seq: number;
  readonly at: Date;
  readonly update: Uint8Array;
}

export interface Absence {
  readonly document: Y.Doc;
  /** What the client has. */
  readonly stateVector: ReadonlyMap<number, number>;
  /** Whether a Yjs client may be one of those that the person wrote with. */
  readonly isOwn: (client: number) => boolean;
}

/**
 * The last changes of an open document, in the order in which its clients were sent them. Whoever comes back has a
 * state vector, from which the missing structs follow, but nothing says which deletions they have: those made since
 * the moment that the vector fits are found here.
 */
export class RecentChanges {
  private readonly limits: RecentLimits;
  private changes: Change[] = [];
  private bytes = 0;
  /** Changes before the first of `changes`, read from the log for somebody who was away longer. */
  private older: Change[] = [];
  private olderReadAt = 0;
  private appended = 0;
  private precedingSeq: number | undefined;

  constructor(limits: RecentLimits = RECENT_LIMITS) {
    this.limits = limits;
  }

  /** How many there have been so far. */
  get count(): number {
    return this.appended;
  }

  /** The row before the oldest change; `undefined` when that is not known. */
  get preceding(): number | undefined {
    return this.precedingSeq;
  }

  get hasOlder(): boolean {
    return this.older.length > 0;
  }

  /** What the document was made of, after its snapshot at `preceding`. */
  seed(preceding: number, rows: readonly Row[]): void {
    this.precedingSeq = preceding;
    for (const row of rows) this.push(changeOf(row));
  }

  append(update: Uint8Array, at: number): void {
    this.push(new Change({ update, at }));
  }

  /** Rows of the log, without a gap before the oldest change here. */
  prepend(rows: readonly Row[], now: number): void {
    this.older = rows.map(changeOf);
    this.olderReadAt = now;
  }

  /** Frees what was read from the log before that time, in milliseconds since 1970. */
  dropOlderReadBefore(time: number): void {
    if (this.olderReadAt < time) this.older = [];
  }

  /**
   * The deletions that somebody with this state vector may lack; `undefined` when changes before those kept here
   * would be needed too.
   *
   * From the newest change back to where the vector had been reached. Deletions do not show in a vector, so it goes
   * on over changes that only delete, and over the person's own, which they had before they were told of what came in
   * between. It ends some time before a change of somebody else that they have: they were sent all before it. Whoever
   * got it in another way may lack more, which shows in what they answer (see `Resumption`).
   */
  deletionsMissed({ document, stateVector, isOwn }: Absence): ClockRange[] | undefined {
    const needed = neededClocks(document, stateVector);
    const missed: ClockRange[] = [];
    let end: { readonly time: number; readonly deletions: number } | undefined;
    for (const { at, effect } of this.newestFirst()) {
      const { runs, deletions } = effect;
      if (needed.size === 0 && !runs.every(({ client }) => isOwn(client))) {
        end ??= { time: at - REORDERED.within, deletions: missed.length + REORDERED.deletions };
      }
      if (end && (at < end.time || missed.length + deletions.length > end.deletions)) break;
      for (const range of deletions) missed.push(range);
      if (!narrow(needed, runs, stateVector)) break;
    }
    this.recount();
    return needed.size === 0 ? missed : undefined;
  }

  /** Whether all changes after the first `count` are kept. */
  reachesBackTo(count: number): boolean {
    return count >= this.appended - this.changes.length;
  }

  /** What was deleted after the first `count` changes, as far as it is kept. */
  deletionsAfter(count: number): ClockRange[] {
    const first = this.appended - this.changes.length;
    const later = this.changes.slice(Math.max(0, count - first));
    const deletions = later.flatMap(({ effect }) => effect.deletions);
    this.recount();
    return deletions;
  }

  private *newestFirst(): Iterable<Change> {
    for (let i = this.changes.length - 1; i >= 0; i--) yield this.changes[i]!;
    for (let i = this.older.length - 1; i >= 0; i--) yield this.older[i]!;
  }

  private push(change: Change): void {
    this.changes.push(change);
    this.bytes += change.bytes;
    this.appended += 1;
    while (this.changes.length > this.limits.changes || this.bytes > this.limits.bytes) this.evict();
  }

  private evict(): void {
    const change = this.changes.shift();
    this.bytes -= change?.bytes ?? this.bytes;
    this.precedingSeq = change?.seq;
    // What was read from the log no longer reaches up to here.
    this.older = [];
  }

  /** A change that has been looked at takes other room than its bytes. */
  private recount(): void {
    this.bytes = this.changes.reduce((sum, change) => sum + change.bytes, 0);
  }
}

class Change {
  /** Milliseconds since 1970. */
  readonly at: number;
  /** Its row in the log, where that is known. */
  readonly seq: number | undefined;
  /** Read when somebody comes back: almost no change is ever asked for. */
  private content: Uint8Array | Effect;

  constructor({ update, at, seq }: { update: Uint8Array; at: number; seq?: number }) {
    this.content = update;
    this.at = at;
    this.seq = seq;
  }

  get bytes(): number {
    if (this.content instanceof Uint8Array) return CHANGE_OVERHEAD + this.content.length;
    const { runs, deletions } = this.content;
    return CHANGE_OVERHEAD + (runs.length + deletions.length) * RANGE_BYTES;
  }

  get effect(): Effect {
    if (this.content instanceof Uint8Array) this.content = readEffect(this.content);
    return this.content;
  }
}

function changeOf({ update, at, seq }: Row): Change {
  return new Change({ update, at: at.getTime(), seq });
}

function readEffect(update: Uint8Array): Effect {
  const { structs, ds } = Y.decodeUpdate(update);
  const runs: Run[] = [];
  for (const struct of structs) {
    if (struct instanceof Y.Skip) continue;
    const { client, clock } = struct.id;
    const last = runs.at(-1);
    if (last?.client === client && last.to === clock) last.to += struct.length;
    else runs.push({ client, from: clock, to: clock + struct.length });
  }
  const deletions = [...ds.clients].flatMap(([client, ranges]) =>
    ranges.map(({ clock, len }) => ({ client, clock, length: len })),
  );
  return { runs, deletions };
}

/** Client → the clock that it stands at, of those of which the vector lacks something. */
function neededClocks(document: Y.Doc, stateVector: ReadonlyMap<number, number>): Map<number, number> {
  const needed = new Map<number, number>();
  for (const [client, structs] of document.store.clients) {
    const last = structs.at(-1);
    const clock = last ? last.id.clock + last.length : 0;
    if (clock > (stateVector.get(client) ?? 0)) needed.set(client, clock);
  }
  return needed;
}

/** Takes what `runs` brought off what is needed. Returns whether they reach up to what came after them. */
function narrow(
  needed: Map<number, number>,
  runs: readonly Run[],
  stateVector: ReadonlyMap<number, number>,
): boolean {
  for (let i = runs.length - 1; i >= 0; i--) {
    const { client, from, to } = runs[i]!;
    const upTo = needed.get(client);
    if (upTo === undefined) continue;
    if (to < upTo) return false;
    if (from <= (stateVector.get(client) ?? 0)) needed.delete(client);
    else needed.set(client, Math.min(from, upTo));
  }
  return true;
}
