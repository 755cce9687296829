import { joinAwareness, updateBody, webSocketFrame, type FrameBody } from './frames.ts';
import type { Receiver } from './fan-out.ts';
import { JoinedUpdate } from './join-updates.ts';

/** Something that happened in a document, and who knows of it already because they did it. */
export interface Item {
  /** A Yjs update, or the body of another frame. */
  readonly update?: Uint8Array;
  readonly body?: FrameBody;
  readonly from: Receiver | undefined;
}

/** The newest awareness update of one Yjs client. */
export interface Cursor {
  readonly update: Uint8Array;
  readonly from: Receiver;
}

interface Piece {
  readonly body: FrameBody;
  readonly from: Receiver | undefined;
}

/** The pieces of a window framed for one address, in one buffer. */
interface Framed {
  readonly bytes: Buffer;
  /** Where each piece ends in it; the cursors, if any, come last. */
  readonly ends: readonly number[];
}

/**
 * So many updates in one window go out as one. Their authors then get their own back, as they do from any Yjs server;
 * with fewer, leaving it out is the better saving.
 */
const JOIN_FROM = 4;

/** What happened in a document within a few milliseconds, as it is sent to each receiver. */
export class Window {
  private readonly pieces: readonly Piece[];
  private readonly cursors: readonly Cursor[];
  private readonly authors = new Set<Receiver>();
  /** Receivers of equal address that caused nothing share one buffer. */
  private readonly framed = new Map<string, Framed>();

  constructor(items: readonly Item[], cursors: readonly Cursor[]) {
    const joins = items.length >= JOIN_FROM;
    this.pieces = joins ? joined(items) : items.map(toPiece);
    this.cursors = cursors;
    for (const { from } of this.pieces) if (from) this.authors.add(from);
    for (const { from } of cursors) this.authors.add(from);
  }

  /** All frames for `receiver`, without what it caused itself; `undefined` when nothing is left. */
  frameFor(receiver: Receiver): Buffer | undefined {
    const framed = this.framedFor(receiver);
    return this.authors.has(receiver) ? this.withoutOwn(framed, receiver) : framed.bytes;
  }

  private framedFor({ address, addressKey }: Receiver): Framed {
    const known = this.framed.get(addressKey);
    if (known) return known;
    const frames = this.pieces.map(({ body }) => webSocketFrame(address, body));
    let end = 0;
    const ends = frames.map(({ length }) => (end += length));
    if (this.cursors.length > 0) frames.push(cursorFrame(address, this.cursors));
    const framed = { bytes: single(frames) ?? Buffer.alloc(0), ends };
    this.framed.set(addressKey, framed);
    return framed;
  }

  private withoutOwn({ bytes, ends }: Framed, receiver: Receiver): Buffer | undefined {
    const parts: Buffer[] = [];
    let from = 0;
    this.pieces.forEach((piece, index) => {
      if (piece.from !== receiver) return;
      const start = ends[index - 1] ?? 0;
      if (start > from) parts.push(bytes.subarray(from, start));
      from = ends[index] ?? start;
    });
    const others = this.cursors.filter((cursor) => cursor.from !== receiver);
    const all = others.length === this.cursors.length;
    const end = all ? bytes.length : (ends.at(-1) ?? 0);
    if (end > from) parts.push(bytes.subarray(from, end));
    if (!all && others.length > 0) parts.push(cursorFrame(receiver.address, others));
    return single(parts);
  }
}

function toPiece({ update, body, from }: Item): Piece {
  return { body: update ? updateBody(update) : (body as FrameBody), from };
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
    if (item.update && run.add(item.update)) {
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

function cursorFrame(address: Uint8Array, cursors: readonly Cursor[]): Buffer {
  return webSocketFrame(address, joinAwareness(cursors.map(({ update }) => update)));
}

function single(buffers: readonly Buffer[]): Buffer | undefined {
  return buffers.length > 1 ? Buffer.concat(buffers) : buffers[0];
}
