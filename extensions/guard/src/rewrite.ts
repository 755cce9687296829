import * as encoding from 'lib0/encoding';
import type { Analysis } from './analysis.ts';
import { ByteReader } from './byte-reader.ts';
import { Ref, skipElement } from './content.ts';
import type { GuardLimits } from './limits.ts';
import { type DeleteBlock, Flag, type StructBlock, type StructRecord } from './parse.ts';
import { mergeRanges, writeDeletes, writeGarbage } from './write.ts';

const utf8 = new TextDecoder('utf-8', { ignoreBOM: true });

/** The update with only what is new and has an effect; what collapses is written as the GC that Yjs makes of it. */
export function rewriteUpdate(analysis: Analysis): Uint8Array {
  const encoder = encoding.createEncoder();
  const blocks = analysis.update.blocks.filter(({ first, records }) => first < records.length);
  encoding.writeVarUint(encoder, blocks.length);
  for (const block of blocks) writeBlock(encoder, analysis, block);
  writeDeletes(encoder, withCollapsed(analysis));
  return encoding.toUint8Array(encoder);
}

/** A replica that already shows what collapsed, its author's, has to delete it. */
function withCollapsed({ deletes, collapsed }: Analysis): readonly DeleteBlock[] {
  if (collapsed.length === 0) return deletes;
  const ranges = deletes.flatMap(({ client, clocks, lengths }) =>
    clocks.map((clock, i) => ({ client, clock, length: lengths[i]! })),
  );
  return mergeRanges([...ranges, ...collapsed]);
}

function writeBlock(encoder: encoding.Encoder, analysis: Analysis, block: StructBlock): void {
  const records = block.records.slice(block.first);
  encoding.writeVarUint(encoder, records.length);
  encoding.writeVarUint(encoder, block.client);
  encoding.writeVarUint(encoder, records[0]!.clock);
  for (const record of records) writeRecord(encoder, analysis, record);
}

function writeRecord(encoder: encoding.Encoder, analysis: Analysis, record: StructRecord): void {
  if (record.ref === Ref.GC || record.collapsed) {
    writeGarbage(encoder, record.length);
    return;
  }
  const { bytes } = analysis.update;
  if (record.cut === 0) {
    encoding.writeUint8Array(encoder, bytes.subarray(record.start, record.end));
    return;
  }
  writeCut(encoder, bytes, record, analysis.limits);
}

function writeCut(
  encoder: encoding.Encoder,
  bytes: Uint8Array,
  record: StructRecord,
  limits: GuardLimits,
): void {
  encoding.writeUint8(encoder, (record.info | Flag.hasOrigin) & ~Flag.hasKey);
  encoding.writeVarUint(encoder, record.originClient);
  encoding.writeVarUint(encoder, record.originClock);
  if (record.info & Flag.hasRight) {
    encoding.writeVarUint(encoder, record.rightClient);
    encoding.writeVarUint(encoder, record.rightClock);
  }
  writeRest(encoder, bytes, record, limits);
}

/** The content without its first `record.cut` clocks. Only these kinds are longer than one. */
function writeRest(
  encoder: encoding.Encoder,
  bytes: Uint8Array,
  record: StructRecord,
  limits: GuardLimits,
): void {
  const reader = new ByteReader(bytes);
  reader.pos = record.contentStart;
  const size = reader.uint();
  switch (record.ref) {
    case Ref.Deleted:
      encoding.writeVarUint(encoder, record.length);
      return;
    case Ref.String: {
      // A pair of surrogates that is cut in two becomes U+FFFD, as in Yjs.
      const text = utf8.decode(bytes.subarray(reader.pos, reader.pos + size)).slice(record.cut);
      encoding.writeVarString(encoder, text.toWellFormed());
      return;
    }
    default:
      for (let i = 0; i < record.cut; i++) skipElement(reader, record.ref, limits);
      encoding.writeVarUint(encoder, record.length);
      encoding.writeUint8Array(encoder, bytes.subarray(reader.pos, record.end));
  }
}
