import type { ClockRange } from '@weft/common';
import * as encoding from 'lib0/encoding';
import * as Y from 'yjs';
import { Ref } from './content.ts';
import { resolveLimits } from './limits.ts';
import { Flag, parseUpdate, type ParsedUpdate, type StructBlock, type StructRecord } from './parse.ts';
import { mergeRanges, writeDeletes, writeGarbage } from './write.ts';

/**
 * What replaces an update that has been applied and may not stand: its insertions without their content, deleted, in
 * their places. As garbage ({@link neutralizeUpdate}) they would take along whatever others have written next to them
 * meanwhile, everywhere but on the screens where they were shown. Entries of maps do become garbage: even deleted
 * they would hide the value before. Deletions of what was there before are left out.
 *
 * @param doc in which the update has been applied
 */
export function eraseUpdate(doc: Y.Doc, update: Uint8Array): Uint8Array {
  const parsed = parseUpdate(update, resolveLimits());
  const encoder = encoding.createEncoder();
  encoding.writeVarUint(encoder, parsed.blocks.length);
  for (const { client, clock, records } of parsed.blocks) {
    encoding.writeVarUint(encoder, records.length);
    encoding.writeVarUint(encoder, client);
    encoding.writeVarUint(encoder, clock);
    for (const record of records) {
      if (hasPlace(doc, record)) writePlace(encoder, parsed, record);
      else writeGarbage(encoder, record.length);
    }
  }
  writeDeletes(encoder, mergeRanges(parsed.blocks.map(rangeOf)));
  return encoding.toUint8Array(encoder);
}

const rangeOf = ({ client, clock, end }: StructBlock): ClockRange => ({ client, clock, length: end - clock });

/** The document knows: what a forged struct says of its own key need not be so. */
function hasPlace(doc: Y.Doc, { client, clock, ref }: StructRecord): boolean {
  if (ref === Ref.GC) return false;
  const struct: Y.Item | Y.GC = Y.getItem(doc.store, Y.createID(client, clock));
  return struct instanceof Y.Item && struct.parentSub === null;
}

function writePlace(encoder: encoding.Encoder, { bytes }: ParsedUpdate, record: StructRecord): void {
  const references = record.info & (Flag.hasKey | Flag.hasRight | Flag.hasOrigin);
  encoding.writeUint8(encoder, references | Ref.Deleted);
  encoding.writeUint8Array(encoder, bytes.subarray(record.start + 1, record.contentStart));
  encoding.writeVarUint(encoder, record.length);
}
