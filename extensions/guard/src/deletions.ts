import type * as Y from 'yjs';
import type { Analysis } from './analysis.ts';
import type { DeleteBlock } from './parse.ts';
import type { SharedType } from './places.ts';
import { indexOfClock, isItem, stateOf, type StoredStruct } from './store.ts';

/** Finds what the delete set does: to stored items, to structs of this update, and to what is nowhere. */
export function analyseDeletes(analysis: Analysis): void {
  for (const block of analysis.update.deletes) {
    const effective: DeleteBlock = { client: block.client, clocks: [], lengths: [] };
    for (let i = 0; i < block.clocks.length; i++) {
      analyseRange(analysis, effective, block.clocks[i]!, block.clocks[i]! + block.lengths[i]!);
    }
    if (effective.clocks.length > 0) analysis.deletes.push(effective);
    if (!isSame(block, effective)) analysis.rewrite = true;
  }
}

function analyseRange(analysis: Analysis, effective: DeleteBlock, clock: number, end: number): void {
  const { client } = effective;
  const structs = analysis.structsOf(client);
  const state = stateOf(structs);
  if (structs !== undefined && clock < state) {
    deleteStored(analysis, effective, structs, clock, Math.min(end, state));
  }
  if (end <= state) return;
  const known = Math.max(state, analysis.blockOf(client)?.end ?? 0);
  const from = Math.max(clock, state);
  if (known > from) addRange(effective, from, Math.min(end, known));
  if (end > known) {
    const first = Math.max(clock, known);
    analysis.addMissing(client, first, end - first);
  }
}

function deleteStored(
  analysis: Analysis,
  effective: DeleteBlock,
  structs: readonly StoredStruct[],
  clock: number,
  end: number,
): void {
  for (let i = indexOfClock(structs, clock); i < structs.length; i++) {
    const struct = structs[i]!;
    const start = struct.id.clock;
    if (start >= end) return;
    if (!isItem(struct) || struct.deleted) continue;
    noteDeletion(analysis, struct);
    addRange(effective, Math.max(start, clock), Math.min(start + struct.length, end));
  }
}

function noteDeletion(analysis: Analysis, item: Y.Item): void {
  const place = analysis.places.ofType(item.parent as SharedType);
  place.access.deletes = true;
  if (place.depth === 0 && item.parentSub !== null) place.access.keys.add(item.parentSub);
}

export function addRange({ clocks, lengths }: DeleteBlock, clock: number, end: number): void {
  const last = clocks.length - 1;
  if (last >= 0 && clocks[last]! + lengths[last]! === clock) {
    lengths[last]! += end - clock;
    return;
  }
  clocks.push(clock);
  lengths.push(end - clock);
}

function isSame(a: DeleteBlock, b: DeleteBlock): boolean {
  return (
    a.clocks.length === b.clocks.length &&
    a.clocks.every((clock, i) => clock === b.clocks[i] && a.lengths[i] === b.lengths[i])
  );
}
