import type { ClockRange } from '@weft/common';
import * as encoding from 'lib0/encoding';
import { Ref } from './content.ts';
import type { DeleteBlock } from './parse.ts';

/** No structs, no deletions. */
export const emptyUpdate: Uint8Array = Uint8Array.of(0, 0);

export function isEmptyUpdate(update: Uint8Array): boolean {
  return update.length === 2 && update[0] === 0 && update[1] === 0;
}

/** By client, the higher first as Yjs writes them; ascending, and those that touch or overlap joined. */
export function mergeRanges(ranges: readonly ClockRange[]): DeleteBlock[] {
  const blocks: DeleteBlock[] = [];
  for (const { client, clock, length } of ranges.toSorted(byClientAndClock)) {
    let block = blocks.at(-1);
    if (block?.client !== client) blocks.push((block = { client, clocks: [], lengths: [] }));
    const last = block.clocks.length - 1;
    const lastEnd = last < 0 ? -1 : block.clocks[last]! + block.lengths[last]!;
    if (clock <= lastEnd) {
      block.lengths[last] = Math.max(lastEnd, clock + length) - block.clocks[last]!;
    } else {
      block.clocks.push(clock);
      block.lengths.push(length);
    }
  }
  return blocks;
}

function byClientAndClock(a: ClockRange, b: ClockRange): number {
  return b.client - a.client || a.clock - b.clock;
}

/** Source: Yjs, `writeDeleteSet` with the encoder of v1. */
export function writeDeletes(encoder: encoding.Encoder, blocks: readonly DeleteBlock[]): void {
  encoding.writeVarUint(encoder, blocks.length);
  for (const { client, clocks, lengths } of blocks) {
    encoding.writeVarUint(encoder, client);
    encoding.writeVarUint(encoder, clocks.length);
    for (let i = 0; i < clocks.length; i++) {
      encoding.writeVarUint(encoder, clocks[i]!);
      encoding.writeVarUint(encoder, lengths[i]!);
    }
  }
}

export function writeGarbage(encoder: encoding.Encoder, length: number): void {
  encoding.writeUint8(encoder, Ref.GC);
  encoding.writeVarUint(encoder, length);
}

export function writeSkip(encoder: encoding.Encoder, length: number): void {
  encoding.writeUint8(encoder, Ref.Skip);
  encoding.writeVarUint(encoder, length);
}
