import type { ClockRange } from '@weft/common';
import * as encoding from 'lib0/encoding';
import * as Y from 'yjs';
import { Ref } from './content.ts';
import { resolveLimits } from './limits.ts';
import { Flag, parseUpdate, type ParsedUpdate, type StructBlock, type StructRecord } from './parse.ts';
import { mergeRanges, writeDeletes, writeGarbage } from './write.ts';

export interface Erased {
  /** What replaces each of the updates, in order. */
  readonly updates: readonly Uint8Array[];
  /** Values that they had replaced come back for those alone who never saw the updates: all others must load anew. */
  readonly restores: boolean;
}

/**
 * What replaces updates that have been applied and may not stand: their insertions without their content, deleted, in
 * their places. As garbage ({@link neutralizeUpdate}) they would take along whatever others have written next to them
 * meanwhile, everywhere but on the screens where they were shown. Only what replaced the value of a map's entry, and
 * was not itself replaced by somebody else's, does become garbage: even deleted it would hide the value before.
 * Deletions of what was there before are left out.
 *
 * @param doc in which all of the updates have been applied, and nothing was taken back of them
 */
export function eraseUpdates(doc: Y.Doc, updates: readonly Uint8Array[]): Erased {
  const all = updates.map((update) => parseUpdate(update, resolveLimits()));
  const erasure = new Erasure(
    doc,
    all.flatMap(({ blocks }) => blocks.map(rangeOf)),
  );
  return { updates: all.map((parsed) => erasure.write(parsed)), restores: erasure.restores };
}

const rangeOf = ({ client, clock, end }: StructBlock): ClockRange => ({ client, clock, length: end - clock });

class Erasure {
  restores = false;
  private readonly doc: Y.Doc;
  private readonly taken: readonly ClockRange[];

  constructor(doc: Y.Doc, taken: readonly ClockRange[]) {
    this.doc = doc;
    this.taken = taken;
  }

  write(parsed: ParsedUpdate): Uint8Array {
    const encoder = encoding.createEncoder();
    encoding.writeVarUint(encoder, parsed.blocks.length);
    for (const { client, clock, records } of parsed.blocks) {
      encoding.writeVarUint(encoder, records.length);
      encoding.writeVarUint(encoder, client);
      encoding.writeVarUint(encoder, clock);
      for (const record of records) {
        if (this.keepsPlace(record)) writePlace(encoder, parsed, record);
        else writeGarbage(encoder, record.length);
      }
    }
    writeDeletes(encoder, mergeRanges(parsed.blocks.map(rangeOf)));
    return encoding.toUint8Array(encoder);
  }

  /** The document knows: what a forged struct says of its own key need not be so. */
  private keepsPlace({ client, clock, ref }: StructRecord): boolean {
    if (ref === Ref.GC) return false;
    const struct: Y.Item | Y.GC = Y.getItem(this.doc.store, Y.createID(client, clock));
    if (!(struct instanceof Y.Item)) return false;
    if (struct.parentSub === null || this.isReplaced(struct) || !this.replaces(struct)) return true;
    this.restores = true;
    return false;
  }

  /** Somebody's value that stays has come in its place: the one before is gone in any case. */
  private isReplaced({ right }: Y.Item): boolean {
    for (let later = right; later; later = later.right) if (this.stays(later)) return true;
    return false;
  }

  private replaces(item: Y.Item): boolean {
    // Itself, where Yjs has merged it with a value before.
    for (let earlier: Y.Item | null = item; earlier; earlier = earlier.left) {
      if (this.stays(earlier)) return true;
    }
    return false;
  }

  private stays({ id }: Y.Item): boolean {
    return !this.taken.some(
      ({ client, clock, length }) => client === id.client && id.clock >= clock && id.clock < clock + length,
    );
  }
}

function writePlace(encoder: encoding.Encoder, { bytes }: ParsedUpdate, record: StructRecord): void {
  const references = record.info & (Flag.hasKey | Flag.hasRight | Flag.hasOrigin);
  encoding.writeUint8(encoder, references | Ref.Deleted);
  encoding.writeUint8Array(encoder, bytes.subarray(record.start + 1, record.contentStart));
  encoding.writeVarUint(encoder, record.length);
}
