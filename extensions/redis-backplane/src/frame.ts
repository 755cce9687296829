import type { CommittedUpdate, Cursor, DocumentKey, UpdateKind } from '@weft/common';
import * as decoding from 'lib0/decoding';
import * as encoding from 'lib0/encoding';

/**
 * What instances tell each other about one document. The channel names the document, so a frame does not.
 *
 * ```
 * frame     = 'W' version kind sender(8 bytes) body
 * updates   = instance epoch firstSeq count row…      rows have consecutive seqs
 * row       = updateKind actor session policyRev at update
 * updates-and-awareness = updates awareness
 * awareness = y-protocols awareness update, to the end
 * stateless = UTF-8, to the end
 * hello     = wantsReply [epoch seq]                  the sender's position, when it has one
 * bye       =
 * ```
 * Numbers are lib0 varUints; strings and updates carry their length in bytes before them.
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
  | { readonly kind: 'hello'; readonly wantsReply: boolean; readonly cursor: Cursor | undefined }
  | { readonly kind: 'bye' };

export const SENDER_BYTES = 8;
const MAGIC = 0x57;
const VERSION = 1;
const HEADER_BYTES = 3 + SENDER_BYTES;
const MAX_ROWS = 10_000;

const KINDS = ['updates', 'awareness', 'stateless', 'hello', 'bye', 'updates-and-awareness'] as const;
const UPDATE_KINDS = ['edit', 'carried', 'system'] as const satisfies readonly UpdateKind[];

/** @param sender {@link SENDER_BYTES} bytes that no other process has. */
export function encodeFrame(sender: Uint8Array, frame: Frame): Buffer {
  const encoder = encoding.createEncoder();
  encoding.writeUint8(encoder, MAGIC);
  encoding.writeUint8(encoder, VERSION);
  const joined = frame.kind === 'updates' && frame.awareness !== undefined;
  encoding.writeUint8(encoder, KINDS.indexOf(joined ? 'updates-and-awareness' : frame.kind));
  encoding.writeUint8Array(encoder, sender);
  writeBody(encoder, frame);
  const bytes = encoding.toUint8Array(encoder);
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function writeBody(encoder: encoding.Encoder, frame: Frame): void {
  switch (frame.kind) {
    case 'updates':
      writeRows(encoder, frame.rows);
      if (frame.awareness) encoding.writeUint8Array(encoder, frame.awareness);
      return;
    case 'awareness':
      return encoding.writeUint8Array(encoder, frame.update);
    case 'stateless':
      return encoding.writeUint8Array(encoder, Buffer.from(frame.payload));
    case 'hello':
      encoding.writeVarUint(encoder, frame.wantsReply ? 1 : 0);
      if (!frame.cursor) return;
      encoding.writeVarUint(encoder, frame.cursor.epoch);
      return encoding.writeVarUint(encoder, frame.cursor.seq);
    case 'bye':
  }
}

function writeRows(encoder: encoding.Encoder, rows: readonly CommittedUpdate[]): void {
  const [first] = rows;
  if (!first) throw new RangeError('A frame of no rows');
  encoding.writeVarString(encoder, first.instance);
  encoding.writeVarUint(encoder, first.epoch);
  encoding.writeVarUint(encoder, first.seq);
  encoding.writeVarUint(encoder, rows.length);
  for (const row of rows) {
    encoding.writeVarUint(encoder, UPDATE_KINDS.indexOf(row.kind));
    encoding.writeVarString(encoder, row.actor);
    encoding.writeVarString(encoder, row.session);
    encoding.writeVarUint(encoder, row.policyRev);
    encoding.writeVarUint(encoder, row.at.getTime());
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
  return Buffer.from(bytes.buffer, bytes.byteOffset + 3, SENDER_BYTES).toString('hex');
}

/** `undefined` for anything that is not exactly a frame. Allocates no more than the frame's own size. */
export function decodeFrame(document: DocumentKey, bytes: Uint8Array): Frame | undefined {
  if (bytes.length < HEADER_BYTES || bytes[0] !== MAGIC || bytes[1] !== VERSION) return undefined;
  const decoder = decoding.createDecoder(bytes);
  decoder.pos = HEADER_BYTES;
  try {
    const frame = readBody(document, KINDS[bytes[2] ?? KINDS.length], decoder);
    return decoding.hasContent(decoder) ? undefined : frame;
  } catch {
    return undefined;
  }
}

function readBody(
  document: DocumentKey,
  kind: (typeof KINDS)[number] | undefined,
  decoder: decoding.Decoder,
): Frame | undefined {
  switch (kind) {
    case 'updates':
      return { kind, rows: readRows(document, decoder) };
    case 'updates-and-awareness': {
      const rows = readRows(document, decoder);
      return { kind: 'updates', rows, awareness: decoding.readTailAsUint8Array(decoder) };
    }
    case 'awareness':
      return { kind, update: decoding.readTailAsUint8Array(decoder) };
    case 'stateless': {
      const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
      return { kind, payload: text.decode(decoding.readTailAsUint8Array(decoder)) };
    }
    case 'hello': {
      const wantsReply = decoding.readVarUint(decoder) === 1;
      if (!decoding.hasContent(decoder)) return { kind, wantsReply, cursor: undefined };
      const epoch = decoding.readVarUint(decoder);
      return { kind, wantsReply, cursor: { epoch, seq: decoding.readVarUint(decoder) } };
    }
    case 'bye':
      return { kind };
    case undefined:
      return undefined;
  }
}

function readRows(document: DocumentKey, decoder: decoding.Decoder): CommittedUpdate[] {
  const instance = decoding.readVarString(decoder);
  const epoch = decoding.readVarUint(decoder);
  const first = decoding.readVarUint(decoder);
  const count = decoding.readVarUint(decoder);
  if (count === 0 || count > MAX_ROWS || first === 0) throw new RangeError('Not a range of rows');
  const rows: CommittedUpdate[] = [];
  for (let i = 0; i < count; i++) {
    const kind = UPDATE_KINDS[decoding.readVarUint(decoder)];
    if (!kind) throw new RangeError('Not a kind of update');
    rows.push({
      document,
      instance,
      epoch,
      seq: first + i,
      kind,
      actor: decoding.readVarString(decoder),
      session: decoding.readVarString(decoder),
      policyRev: decoding.readVarUint(decoder),
      at: new Date(decoding.readVarUint(decoder)),
      // A copy: what is held must not keep the socket's whole chunk alive.
      update: decoding.readVarUint8Array(decoder).slice(),
    });
  }
  return rows;
}
