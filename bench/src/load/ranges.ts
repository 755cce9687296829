import * as decoding from 'lib0/decoding';
import * as Y from 'yjs';

/** Characters that follow each other. */
export interface Range {
  readonly client: number;
  readonly clock: number;
  readonly length: number;
}

/** Which characters an update brings, and which it takes away. */
export interface Ranges {
  readonly inserted: readonly Range[];
  readonly deleted: readonly Range[];
}

/**
 * Reads by hand what typing produces (text, and deleted text after a clean-up); anything else goes through Yjs' own,
 * slower decoder. Format: Yjs update encoding v1.
 */
export function readRanges(update: Uint8Array): Ranges {
  const decoder = decoding.createDecoder(update);
  const inserted: Range[] = [];
  const clients = decoding.readVarUint(decoder);
  for (let c = 0; c < clients; c++) {
    const structs = decoding.readVarUint(decoder);
    const client = decoding.readVarUint(decoder);
    let clock = decoding.readVarUint(decoder);
    for (let s = 0; s < structs; s++) {
      const read = readStruct(decoder);
      if (read === undefined) return readSlowly(update);
      if (read.brings) inserted.push({ client, clock, length: read.length });
      clock += read.length;
    }
  }
  return { inserted, deleted: readDeleteSet(decoder) };
}

/** An update that somebody in a document received, and the one after it. */
interface Known {
  readonly update: Buffer;
  readonly ranges: Ranges;
  next: Known | undefined;
}

/** So many updates in a row a receiver may not get that others in the document do: its own, as a rule. */
const LEFT_OUT = 64;

/** What those in a document have read last. */
export class SharedRanges {
  newest: Known = { update: Buffer.alloc(0), ranges: { inserted: [], deleted: [] }, next: undefined };
}

/**
 * Reads what one receiver is sent. Everybody in a document is sent the same bytes in the same order, and what those
 * bring has to be found out only once: who receives them too compares them.
 */
export class RangeReader {
  private readonly shared: SharedRanges;
  private last: Known;

  constructor(shared: SharedRanges) {
    this.shared = shared;
    this.last = shared.newest;
  }

  read(update: Uint8Array): Ranges {
    this.last = this.find(update) ?? this.add(update);
    return this.last.ranges;
  }

  private find(update: Uint8Array): Known | undefined {
    let known = this.last.next;
    for (let ahead = 0; known && ahead <= LEFT_OUT; ahead++, known = known.next) {
      if (known.update.equals(update)) return known;
    }
    return undefined;
  }

  private add(update: Uint8Array): Known {
    const known: Known = { update: Buffer.from(update), ranges: readRanges(update), next: this.last.next };
    this.last.next = known;
    if (this.shared.newest === this.last) this.shared.newest = known;
    return known;
  }
}

const GC = 0;
const DELETED = 1;
const STRING = 4;
const SKIP = 10;

function readStruct(decoder: decoding.Decoder): { length: number; brings: boolean } | undefined {
  const info = decoding.readUint8(decoder);
  const kind = info & 0x1f;
  if (kind === GC || kind === SKIP) return { length: decoding.readVarUint(decoder), brings: kind === GC };
  if (kind !== STRING && kind !== DELETED) return undefined;
  if (info & 0x80) skipId(decoder);
  if (info & 0x40) skipId(decoder);
  if ((info & 0xc0) === 0) {
    if (decoding.readVarUint(decoder) === 1) decoding.readVarString(decoder);
    else skipId(decoder);
    if (info & 0x20) decoding.readVarString(decoder);
  }
  const length = kind === STRING ? decoding.readVarString(decoder).length : decoding.readVarUint(decoder);
  return { length, brings: true };
}

function skipId(decoder: decoding.Decoder): void {
  decoding.readVarUint(decoder);
  decoding.readVarUint(decoder);
}

function readDeleteSet(decoder: decoding.Decoder): Range[] {
  const deleted: Range[] = [];
  const clients = decoding.readVarUint(decoder);
  for (let c = 0; c < clients; c++) {
    const client = decoding.readVarUint(decoder);
    const ranges = decoding.readVarUint(decoder);
    for (let r = 0; r < ranges; r++) {
      const clock = decoding.readVarUint(decoder);
      deleted.push({ client, clock, length: decoding.readVarUint(decoder) });
    }
  }
  return deleted;
}

function readSlowly(update: Uint8Array): Ranges {
  const { structs, ds } = Y.decodeUpdate(update);
  const inserted = structs
    .filter((struct) => !(struct instanceof Y.Skip))
    .map(({ id, length }) => ({ ...id, length }));
  const deleted = [...ds.clients].flatMap(([client, ranges]) =>
    ranges.map(({ clock, len }) => ({ client, clock, length: len })),
  );
  return { inserted, deleted };
}
