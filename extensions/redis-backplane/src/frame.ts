import type { CommittedUpdate, Cursor, DocumentKey, UpdateKind } from '@weft/common';
import * as decoding from 'lib0/decoding';
import * as encoding from 'lib0/encoding';
import { KnownAuthors, ToldAuthors } from './authorship.ts';

/**
 * What instances tell each other about one document. The channel names the document, so a frame does not.
 *
 * ```
 * frame     = 'W' version kind sender(8 bytes) body
 * updates   = firstSeq count row…                     rows have consecutive seqs, and one epoch
 * row       = authorship at updateKind update         authorship: see authorship.ts; at: milliseconds after its `since`
 * updates-and-awareness = updates awareness
 * awareness = y-protocols awareness update, to the end
 * stateless = UTF-8, to the end
 * hello     = flags number [epoch seq]                flags: 1 wants a reply; then the sender's position, when it has one
 * bye       =
 * letter    = number frame                            to one process alone: its own number of the document
 * ```
 * Numbers are lib0 varUints (`at` a varInt); strings and updates carry their length in bytes before them. In a frame
 * on the document's channel every authorship is defined; a letter relies on what the letters before it defined.
 */
export type Frame =
  | {
      readonly kind: 'updates';
      readonly rows: readonly CommittedUpdate[];
      /** Presence that goes along: a y-protocols awareness update. */
      readonly awareness?: Uint8Array | undefined;
    }
  | { readonly kind: 'awareness'; readonly update: Uint8Array }
  | { readonly kind: 'stateless'; readonly payload: string }
  | {
      readonly kind: 'hello';
      readonly wantsReply: boolean;
      /** By which letters to the sender name the document. */
      readonly number: number;
      readonly cursor: Cursor | undefined;
    }
  | { readonly kind: 'bye' };

/** Rows of which it is not known who wrote them: the definition was in a letter that did not arrive. */
export interface UnreadRows {
  readonly kind: 'unread';
  /** The last of them. */
  readonly seq: number;
  readonly awareness?: Uint8Array | undefined;
}

export const SENDER_BYTES = 8;
const MAGIC = 0x57;
const VERSION = 2;
const HEADER_BYTES = 3 + SENDER_BYTES;
const MAX_ROWS = 10_000;
const WANTS_REPLY = 1;

const KINDS = ['updates', 'awareness', 'stateless', 'hello', 'bye', 'updates-and-awareness'] as const;
const UPDATE_KINDS = ['edit', 'carried', 'system'] as const satisfies readonly UpdateKind[];

/** @param sender {@link SENDER_BYTES} bytes that no other process has. */
export function encodeFrame(sender: Uint8Array, frame: Frame): Buffer {
  const encoder = encoding.createEncoder();
  writeFrame(encoder, { sender, frame, told: new ToldAuthors() });
  return toBuffer(encoder);
}

/** A frame for one process. */
export function encodeLetter(number: number, contents: FrameContents): Buffer {
  const encoder = encoding.createEncoder();
  encoding.writeVarUint(encoder, number);
  writeFrame(encoder, contents);
  return toBuffer(encoder);
}

interface FrameContents {
  readonly sender: Uint8Array;
  readonly frame: Frame;
  /** What the reader has been told before. */
  readonly told: ToldAuthors;
}

function toBuffer(encoder: encoding.Encoder): Buffer {
  const bytes = encoding.toUint8Array(encoder);
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function writeFrame(encoder: encoding.Encoder, { sender, frame, told }: FrameContents): void {
  encoding.writeUint8(encoder, MAGIC);
  encoding.writeUint8(encoder, VERSION);
  const joined = frame.kind === 'updates' && frame.awareness !== undefined;
  encoding.writeUint8(encoder, KINDS.indexOf(joined ? 'updates-and-awareness' : frame.kind));
  encoding.writeUint8Array(encoder, sender);
  writeBody(encoder, frame, told);
}

function writeBody(encoder: encoding.Encoder, frame: Frame, told: ToldAuthors): void {
  switch (frame.kind) {
    case 'updates':
      writeRows(encoder, frame.rows, told);
      if (frame.awareness) encoding.writeUint8Array(encoder, frame.awareness);
      return;
    case 'awareness':
      return encoding.writeUint8Array(encoder, frame.update);
    case 'stateless':
      return encoding.writeUint8Array(encoder, Buffer.from(frame.payload));
    case 'hello':
      encoding.writeVarUint(encoder, frame.wantsReply ? WANTS_REPLY : 0);
      encoding.writeVarUint(encoder, frame.number);
      if (!frame.cursor) return;
      encoding.writeVarUint(encoder, frame.cursor.epoch);
      return encoding.writeVarUint(encoder, frame.cursor.seq);
    case 'bye':
  }
}

function writeRows(encoder: encoding.Encoder, rows: readonly CommittedUpdate[], told: ToldAuthors): void {
  const [first] = rows;
  if (!first) throw new RangeError('A frame of no rows');
  encoding.writeVarUint(encoder, first.seq);
  encoding.writeVarUint(encoder, rows.length);
  for (const row of rows) {
    told.write(encoder, row);
    encoding.writeVarUint(encoder, UPDATE_KINDS.indexOf(row.kind));
    encoding.writeVarUint8Array(encoder, row.update);
  }
}

/** Whether it is a frame of this process itself, which Redis delivers like any other. */
export function isFrom(sender: Uint8Array, bytes: Uint8Array): boolean {
  for (let i = 0; i < SENDER_BYTES; i++) if (bytes[3 + i] !== sender[i]) return false;
  return true;
}

/** The sender of a frame that {@link decodeFrame} took. */
export function senderOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset + 3, SENDER_BYTES).toString('base64url');
}

/**
 * `undefined` for anything that is not exactly a frame. Allocates no more than the frame's own size.
 * @param known what the sender has defined before; nothing on the document's channel
 */
export function decodeFrame(
  document: DocumentKey,
  bytes: Uint8Array,
  known = new KnownAuthors(),
): Frame | UnreadRows | undefined {
  if (bytes.length < HEADER_BYTES || bytes[0] !== MAGIC || bytes[1] !== VERSION) return undefined;
  const decoder = decoding.createDecoder(bytes);
  decoder.pos = HEADER_BYTES;
  try {
    const frame = readBody({ document, known, decoder }, KINDS[bytes[2] ?? KINDS.length]);
    return decoding.hasContent(decoder) ? undefined : frame;
  } catch {
    return undefined;
  }
}

/** `undefined` for what cannot be a letter. */
export function openLetter(
  bytes: Uint8Array,
): { readonly number: number; readonly frame: Uint8Array } | undefined {
  const decoder = decoding.createDecoder(bytes);
  try {
    const number = decoding.readVarUint(decoder);
    const frame = decoding.readTailAsUint8Array(decoder);
    return frame.length < HEADER_BYTES ? undefined : { number, frame };
  } catch {
    return undefined;
  }
}

interface Reading {
  readonly document: DocumentKey;
  readonly known: KnownAuthors;
  readonly decoder: decoding.Decoder;
}

function readBody(
  reading: Reading,
  kind: (typeof KINDS)[number] | undefined,
): Frame | UnreadRows | undefined {
  const { decoder } = reading;
  switch (kind) {
    case 'updates':
      return readRows(reading);
    case 'updates-and-awareness':
      return { ...readRows(reading), awareness: decoding.readTailAsUint8Array(decoder) };
    case 'awareness':
      return { kind, update: decoding.readTailAsUint8Array(decoder) };
    case 'stateless': {
      const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
      return { kind, payload: text.decode(decoding.readTailAsUint8Array(decoder)) };
    }
    case 'hello': {
      const wantsReply = decoding.readVarUint(decoder) === WANTS_REPLY;
      const number = decoding.readVarUint(decoder);
      if (!decoding.hasContent(decoder)) return { kind, wantsReply, number, cursor: undefined };
      const epoch = decoding.readVarUint(decoder);
      return { kind, wantsReply, number, cursor: { epoch, seq: decoding.readVarUint(decoder) } };
    }
    case 'bye':
      return { kind };
    case undefined:
      return undefined;
  }
}

function readRows({ document, known, decoder }: Reading): Extract<Frame, { kind: 'updates' }> | UnreadRows {
  const first = decoding.readVarUint(decoder);
  const count = decoding.readVarUint(decoder);
  if (count === 0 || count > MAX_ROWS || first === 0) throw new RangeError('Not a range of rows');
  const rows: CommittedUpdate[] = [];
  for (let i = 0; i < count; i++) {
    const author = known.read(decoder);
    const kind = UPDATE_KINDS[decoding.readVarUint(decoder)];
    if (!kind) throw new RangeError('Not a kind of update');
    // A copy: what is held must not keep the socket's whole chunk alive.
    const update = decoding.readVarUint8Array(decoder).slice();
    if (author) rows.push({ document, ...author, seq: first + i, kind, update });
  }
  return rows.length < count ? { kind: 'unread', seq: first + count - 1 } : { kind: 'updates', rows };
}
