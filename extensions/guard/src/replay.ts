import type * as Y from 'yjs';
import type { Analysis } from './analysis.ts';
import { costly, disordered } from './errors.ts';
import type { StructRecord } from './parse.ts';
import { ABSENT } from './parse.ts';
import type { Place } from './places.ts';
import { PieceIndex, type Piece } from './pieces.ts';

/**
 * Integrates the update into a shadow of the lists it touches, exactly as Yjs would, and counts the steps. It is for
 * the few updates whose items have neighbours in the update itself, in an order that does not follow from what was
 * checked already, or so many items in one list that their bound is above the limit: only this tells quadratic
 * forgeries from an honest document that comes whole. Source: Yjs, `Item.integrate`.
 *
 * @throws WeftError `document-rebuild` when an origin does not lie before the right origin; `update-costly`
 */
export function replay(analysis: Analysis): void {
  new Replay(analysis).run();
}

class Replay {
  readonly #analysis: Analysis;
  readonly #pieces = new PieceIndex();
  /** The first piece of each list, once it was asked for. */
  readonly #heads = new Map<Place, Map<string | null, Piece | null>>();
  #steps = 0;

  constructor(analysis: Analysis) {
    this.#analysis = analysis;
  }

  run(): void {
    for (const record of this.#analysis.placed) this.#integrate(record);
    this.#analysis.walked += this.#steps;
  }

  #integrate(record: StructRecord): void {
    const leftStruct = this.#struct(record.originClient, record.originClock);
    const rightStruct = this.#struct(record.rightClient, record.rightClock);
    const left = leftStruct === undefined ? null : this.#pieces.endingAt(leftStruct, record.originClock);
    const right = rightStruct === undefined ? null : this.#pieces.startingAt(rightStruct, record.rightClock);
    if (left !== null && right !== null) this.#checkOrder(left, right);
    const piece = this.#pieces.add(record);
    const after = this.#isBetween(record, left, right) ? left : this.#resolve(record, left, right);
    this.#insert(record, piece, after);
  }

  #struct(client: number, clock: number): Y.Item | StructRecord | undefined {
    return this.#analysis.find(client, clock) as Y.Item | StructRecord | undefined;
  }

  #step(): void {
    if (++this.#steps > this.#analysis.limits.maxTotalWalk) throw costly('too many items between neighbours');
  }

  /** See {@link checkNeighbours}. */
  #checkOrder(left: Piece, right: Piece): void {
    for (let next = this.#pieces.rightOf(left); next !== right; next = this.#pieces.rightOf(next)) {
      if (next === null || holds(next, left.rightClient, left.rightClock)) throw disordered();
      if (holds(next, right.originClient, right.originClock)) throw disordered();
      this.#step();
    }
  }

  #isBetween(record: StructRecord, left: Piece | null, right: Piece | null): boolean {
    if (left !== null) return this.#pieces.rightOf(left) === right;
    return right === null ? this.#head(record) === null : this.#pieces.leftOf(right) === null;
  }

  /** Finds the piece it goes behind, among others that were put between the same neighbours. */
  #resolve(record: StructRecord, left: Piece | null, right: Piece | null): Piece | null {
    const passed = new Set<Piece>();
    const conflicting = new Set<Piece>();
    let after = left;
    let other = left === null ? this.#head(record) : this.#pieces.rightOf(left);
    for (; other !== null && other !== right; other = this.#pieces.rightOf(other)) {
      this.#step();
      passed.add(other);
      conflicting.add(other);
      if (hasOrigin(other, record)) {
        if (other.client < record.client) {
          after = other;
          conflicting.clear();
        } else if (hasRightOrigin(other, record)) {
          break;
        }
        continue;
      }
      const origin = this.#originOf(other);
      if (origin === null || !passed.has(origin)) break;
      if (!conflicting.has(origin)) {
        after = other;
        conflicting.clear();
      }
    }
    return after;
  }

  #originOf({ originClient, originClock }: Piece): Piece | null {
    const struct = this.#struct(originClient, originClock);
    return struct === undefined ? null : this.#pieces.at(struct, originClock);
  }

  #insert(record: StructRecord, piece: Piece, after: Piece | null): void {
    const next = after === null ? this.#head(record) : this.#pieces.rightOf(after);
    piece.left = after;
    piece.right = next;
    if (next !== null) next.left = piece;
    if (after === null) this.#headsOf(record).set(record.key, piece);
    else after.right = piece;
  }

  #head(record: StructRecord): Piece | null {
    const heads = this.#headsOf(record);
    let head = heads.get(record.key);
    if (head === undefined) {
      const first = this.#firstStored(record);
      head = first === null ? null : this.#pieces.firstOf(first);
      heads.set(record.key, head);
    }
    return head;
  }

  #headsOf(record: StructRecord): Map<string | null, Piece | null> {
    let heads = this.#heads.get(record.place!);
    if (heads === undefined) {
      heads = new Map<string | null, Piece | null>();
      this.#heads.set(record.place!, heads);
    }
    return heads;
  }

  #firstStored({ place, key }: StructRecord): Y.Item | null {
    const type = place!.type;
    if (type === undefined) return null;
    if (key === null) return type._start;
    let item = type._map.get(key) ?? null;
    for (; item !== null && item.left !== null; item = item.left) this.#step();
    return item;
  }
}

function holds({ client, clock, length }: Piece, otherClient: number, otherClock: number): boolean {
  return client === otherClient && otherClock >= clock && otherClock < clock + length;
}

function hasOrigin(piece: Piece, record: StructRecord): boolean {
  if (record.originClient === ABSENT) return piece.originClient === ABSENT;
  return piece.originClient === record.originClient && piece.originClock === record.originClock;
}

function hasRightOrigin(piece: Piece, record: StructRecord): boolean {
  if (record.rightClient === ABSENT) return piece.rightClient === ABSENT;
  return piece.rightClient === record.rightClient && piece.rightClock === record.rightClock;
}
