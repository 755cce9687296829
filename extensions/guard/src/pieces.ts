import type * as Y from 'yjs';
import type { StructRecord } from './parse.ts';
import { ABSENT } from './parse.ts';

type Source = Y.Item | StructRecord;

/** A part of an item of the document or of the update, in the list it is in. */
export interface Piece {
  readonly client: number;
  readonly clock: number;
  length: number;
  readonly originClient: number;
  readonly originClock: number;
  readonly rightClient: number;
  readonly rightClock: number;
  readonly source: Source;
  /** `undefined`: still as in the document. */
  left: Piece | null | undefined;
  right: Piece | null | undefined;
}

/** The pieces that items have been split into so far, made when they are first looked at. */
export class PieceIndex {
  readonly #pieces = new Map<Source, Piece[]>();

  /** The piece of a struct of the update, not in any list yet. */
  add(record: StructRecord): Piece {
    const piece: Piece = { ...pick(record), source: record, left: null, right: null };
    this.#pieces.set(record, [piece]);
    return piece;
  }

  firstOf(source: Source): Piece {
    return this.#of(source)[0]!;
  }

  at(source: Source, clock: number): Piece {
    const pieces = this.#of(source);
    return pieces[indexAt(pieces, clock)]!;
  }

  /** The piece whose last clock this is, after a split where one is needed. */
  endingAt(source: Source, clock: number): Piece {
    const piece = this.at(source, clock);
    const length = clock - piece.clock + 1;
    if (length < piece.length) this.#split(piece, length);
    return piece;
  }

  /** The piece whose first clock this is, after a split where one is needed. */
  startingAt(source: Source, clock: number): Piece {
    const piece = this.at(source, clock);
    return clock > piece.clock ? this.#split(piece, clock - piece.clock) : piece;
  }

  rightOf(piece: Piece): Piece | null {
    if (piece.right !== undefined) return piece.right;
    const { right } = piece.source as Y.Item;
    return (piece.right = right === null ? null : this.firstOf(right));
  }

  leftOf(piece: Piece): Piece | null {
    if (piece.left !== undefined) return piece.left;
    const { left } = piece.source as Y.Item;
    return (piece.left = left === null ? null : this.#of(left).at(-1)!);
  }

  #of(source: Source): Piece[] {
    let pieces = this.#pieces.get(source);
    if (pieces === undefined) {
      pieces = [stored(source as Y.Item)];
      this.#pieces.set(source, pieces);
    }
    return pieces;
  }

  #split(piece: Piece, length: number): Piece {
    const clock = piece.clock + length;
    const next = this.rightOf(piece);
    const rest: Piece = {
      ...piece,
      clock,
      length: piece.length - length,
      originClient: piece.client,
      originClock: clock - 1,
      left: piece,
      right: next,
    };
    if (next !== null) next.left = rest;
    piece.right = rest;
    piece.length = length;
    const pieces = this.#of(piece.source);
    pieces.splice(indexAt(pieces, piece.clock) + 1, 0, rest);
    return rest;
  }
}

function pick(record: StructRecord): Omit<Piece, 'source' | 'left' | 'right'> {
  const { client, clock, length, originClient, originClock, rightClient, rightClock } = record;
  return { client, clock, length, originClient, originClock, rightClient, rightClock };
}

function stored(item: Y.Item): Piece {
  return {
    client: item.id.client,
    clock: item.id.clock,
    length: item.length,
    originClient: item.origin?.client ?? ABSENT,
    originClock: item.origin?.clock ?? 0,
    rightClient: item.rightOrigin?.client ?? ABSENT,
    rightClock: item.rightOrigin?.clock ?? 0,
    source: item,
    left: undefined,
    right: undefined,
  };
}

function indexAt(pieces: readonly Piece[], clock: number): number {
  let low = 0;
  let high = pieces.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >>> 1;
    if (pieces[middle]!.clock <= clock) low = middle;
    else high = middle - 1;
  }
  return low;
}
