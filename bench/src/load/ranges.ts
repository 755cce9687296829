import * as decoding from 'lib0/decoding';
import * as Y from 'yjs';

export interface RangeReader {
  inserted(client: number, clock: number, length: number): void;
  deleted(client: number, clock: number, length: number): void;
}

/**
 * Reports which characters an update brings. Reads by hand what typing produces (text, and deleted text after
 * a clean-up); anything else goes through Yjs' own, slower decoder. Format: Yjs update encoding v1.
 */
export function readRanges(update: Uint8Array, reader: RangeReader): void {
  const decoder = decoding.createDecoder(update);
  const found: [number, number, number][] = [];
  const clients = decoding.readVarUint(decoder);
  for (let c = 0; c < clients; c++) {
    const structs = decoding.readVarUint(decoder);
    const client = decoding.readVarUint(decoder);
    let clock = decoding.readVarUint(decoder);
    for (let s = 0; s < structs; s++) {
      const read = readStruct(decoder);
      if (read === undefined) return readSlowly(update, reader);
      if (read.brings) found.push([client, clock, read.length]);
      clock += read.length;
    }
  }
  for (const [client, clock, length] of found) reader.inserted(client, clock, length);
  readDeleteSet(decoder, reader);
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

function readDeleteSet(decoder: decoding.Decoder, reader: RangeReader): void {
  const clients = decoding.readVarUint(decoder);
  for (let c = 0; c < clients; c++) {
    const client = decoding.readVarUint(decoder);
    const ranges = decoding.readVarUint(decoder);
    for (let r = 0; r < ranges; r++) {
      const clock = decoding.readVarUint(decoder);
      reader.deleted(client, clock, decoding.readVarUint(decoder));
    }
  }
}

function readSlowly(update: Uint8Array, reader: RangeReader): void {
  const { structs, ds } = Y.decodeUpdate(update);
  for (const struct of structs) {
    if (struct instanceof Y.Skip) continue;
    reader.inserted(struct.id.client, struct.id.clock, struct.length);
  }
  for (const [client, ranges] of ds.clients) {
    for (const { clock, len } of ranges) reader.deleted(client, clock, len);
  }
}
