import type { ClockRange } from '@weft/common';
import * as encoding from 'lib0/encoding';
import type { DeleteBlock } from './parse.ts';
import { mergeRanges, writeDeletes, writeGarbage, writeSkip } from './write.ts';

/**
 * An update that takes the place of refused content: a GC over its clocks, and their deletion. Whoever never saw
 * the content gets the GC, whoever has it deletes it, and both can go on, for the clocks are taken.
 *
 * What holds: afterwards all have the same clocks and the same visible content below every list and new key. What
 * its author writes later next to the refused content refers to it and becomes a GC too: the analysis reports that
 * as `collapsed`, and its `update` carries the deletion that the author's replica needs.
 * What does not hold: deletions that came with the refused content, and values of a key that it replaced, are gone
 * on the author's replica and stay gone there. Such a session has to rebuild its document.
 */
export function neutralizeUpdate(ranges: readonly ClockRange[]): Uint8Array {
  const blocks = mergeRanges(ranges.filter(({ length }) => length > 0));
  const encoder = encoding.createEncoder();
  encoding.writeVarUint(encoder, blocks.length);
  for (const block of blocks) writeBlock(encoder, block);
  writeDeletes(encoder, blocks);
  return encoding.toUint8Array(encoder);
}

function writeBlock(encoder: encoding.Encoder, { client, clocks, lengths }: DeleteBlock): void {
  encoding.writeVarUint(encoder, 2 * clocks.length - 1);
  encoding.writeVarUint(encoder, client);
  encoding.writeVarUint(encoder, clocks[0]!);
  for (let i = 0; i < clocks.length; i++) {
    if (i > 0) writeSkip(encoder, clocks[i]! - clocks[i - 1]! - lengths[i - 1]!);
    writeGarbage(encoder, lengths[i]!);
  }
}
