import { presenceHead, updateBody, webSocketFrame, type FrameBody } from '../wire/frames.ts';
import type { Receiver } from './receiver.ts';
import { JoinedUpdate } from './join-updates.ts';

/** A Yjs update, and who knows of it already because they made it. */
export interface Item {
  readonly update: Uint8Array;
  readonly from: Receiver | undefined;
}

/** The newest that is known of one Yjs client's presence. */
export interface Shown {
  /** As it stands in an awareness update: client, clock, JSON. */
  readonly entry: Uint8Array;
  /** Whose it is, if they are connected here. */
  readonly from: Receiver | undefined;
}

interface Piece {
  readonly body: FrameBody;
  readonly from: Receiver | undefined;
}

/** A window framed for one address, in one buffer: its pieces, then everybody's presence in one frame. */
interface Framed {
  readonly bytes: Buffer;
  /** Where each piece ends in it. */
  readonly ends: readonly number[];
}

/**
 * So many updates in one window go out as one. Their authors then get their own back, as they do from any Yjs server;
 * with fewer, leaving it out is the better saving.
 */
const JOIN_FROM = 4;
const NONE: readonly number[] = [];

/** What happened in a document within a short time, as it is sent to each receiver. */
export class Window {
  private readonly pieces: readonly Piece[];
  private readonly presence: readonly Shown[];
  /** Where each entry of the presence ends, from the begin of the first. */
  private readonly presenceEnds: readonly number[];
  private readonly authors = new Set<Receiver>();
  /** Which of the presence is a receiver's own. */
  private readonly own = new Map<Receiver, number[]>();
  /** Receivers of equal address that caused nothing share one buffer. */
  private readonly framed = new Map<string, Framed>();

  constructor(items: readonly Item[], presence: readonly Shown[]) {
    this.pieces = items.length >= JOIN_FROM ? joined(items) : items.map(toPiece);
    this.presence = presence;
    let end = 0;
    this.presenceEnds = presence.map(({ entry }) => (end += entry.length));
    for (const { from } of this.pieces) if (from) this.authors.add(from);
    presence.forEach(({ from }, index) => {
      if (from) this.ownOf(from).push(index);
    });
  }

  private ownOf(receiver: Receiver): number[] {
    const known = this.own.get(receiver) ?? [];
    this.own.set(receiver, known);
    return known;
  }

  /** The bytes for `receiver`, one buffer after another, without what it caused itself. */
  partsFor(receiver: Receiver): readonly Buffer[] {
    const framed = this.framedFor(receiver);
    const own = this.own.get(receiver) ?? NONE;
    const whole = receiver.seesPresence && own.length === 0 && !this.authors.has(receiver);
    if (whole) return framed.bytes.length > 0 ? [framed.bytes] : [];
    const parts = this.piecesWithoutOwn(framed, receiver);
    if (receiver.seesPresence && own.length < this.presence.length)
      parts.push(...this.presenceWithout(own, receiver, framed));
    return parts;
  }

  private framedFor({ address, addressKey }: Receiver): Framed {
    const known = this.framed.get(addressKey);
    if (known) return known;
    const parts: Uint8Array[] = this.pieces.map(({ body }) => webSocketFrame(address, body));
    let end = 0;
    const ends = parts.map(({ length }) => (end += length));
    const count = this.presence.length;
    if (count > 0) parts.push(presenceHead(address, { count, length: this.presenceBytes }));
    for (const { entry } of this.presence) parts.push(entry);
    const framed = { bytes: Buffer.concat(parts), ends };
    this.framed.set(addressKey, framed);
    return framed;
  }

  private get presenceBytes(): number {
    return this.presenceEnds.at(-1) ?? 0;
  }

  private piecesWithoutOwn({ bytes, ends }: Framed, receiver: Receiver): Buffer[] {
    const parts: Buffer[] = [];
    let from = 0;
    const takeUntil = (end: number) => {
      if (end > from) parts.push(bytes.subarray(from, end));
    };
    this.pieces.forEach((piece, index) => {
      if (piece.from !== receiver) return;
      takeUntil(ends[index - 1] ?? 0);
      from = ends[index] ?? 0;
    });
    takeUntil(ends.at(-1) ?? 0);
    return parts;
  }

  /**
   * Cut out of what all share: where hundreds have moved, encoding the others' presence for each of them costs more
   * than everything else, most of it for collecting the buffers.
   */
  private presenceWithout(own: readonly number[], { address }: Receiver, { bytes }: Framed): Buffer[] {
    const { presenceEnds } = this;
    const start = bytes.length - this.presenceBytes;
    const kept: Buffer[] = [];
    let length = 0;
    let from = 0;
    const takeUntil = (end: number) => {
      if (end > from) kept.push(bytes.subarray(start + from, start + end));
      length += end - from;
    };
    for (const index of own) {
      takeUntil(presenceEnds[index - 1] ?? 0);
      from = presenceEnds[index] ?? 0;
    }
    takeUntil(this.presenceBytes);
    return [presenceHead(address, { count: this.presence.length - own.length, length }), ...kept];
  }
}

function toPiece({ update, from }: Item): Piece {
  return { body: updateBody(update), from };
}

/** Runs of updates become one piece each. Their order, among themselves and to the rest, stays. */
function joined(items: readonly Item[]): Piece[] {
  const pieces: Piece[] = [];
  let run = new JoinedUpdate();
  let from: Receiver | undefined;
  const finish = () => {
    if (run.empty) return;
    pieces.push({ body: updateBody(run.encode()), from });
    run = new JoinedUpdate();
  };
  for (const item of items) {
    const first = run.empty;
    if (run.add(item.update)) {
      // What one person did in a row is still nothing that they have to be told.
      from = first || from === item.from ? item.from : undefined;
      continue;
    }
    finish();
    pieces.push(toPiece(item));
  }
  finish();
  return pieces;
}
