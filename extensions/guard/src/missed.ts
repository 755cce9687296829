import type { ClockRange } from '@weft/common';
import * as encoding from 'lib0/encoding';
import * as Y from 'yjs';
import { addRange } from './deletions.ts';
import { type GuardLimits, resolveLimits } from './limits.ts';
import { parseUpdate, type DeleteBlock } from './parse.ts';
import { indexOfClock, stateOf, type StoredStruct } from './store.ts';
import { mergeRanges, writeDeletes } from './write.ts';

/** Client → next clock. */
export type StateVector = ReadonlyMap<number, number>;

/** Deleted clocks of each client: ascending ranges, apart from each other. */
export type DeletedRanges = readonly DeleteBlock[];

export interface Missed {
  readonly stateVector: StateVector;
  /** Deletions of structs that are known at the state vector. */
  readonly deletions: readonly ClockRange[];
}

/**
 * What a replica lacks: the structs after its state vector, deleted ones as such, and the deletions given. Unlike
 * `Y.encodeStateAsUpdate` it does not repeat every deletion that the document ever saw.
 */
export function encodeMissed(doc: Y.Doc, { stateVector, deletions }: Missed): Uint8Array {
  const encoder = new Y.UpdateEncoderV1();
  const ranges = [...deletions];
  const clients = [...doc.store.clients]
    .filter(([client, structs]) => stateOf(structs) > clockOf(stateVector, client))
    // As Yjs does: integrating the higher clients first is cheaper.
    .sort(([a], [b]) => b - a);
  encoding.writeVarUint(encoder.restEncoder, clients.length);
  for (const [client, structs] of clients) {
    const clock = clockOf(stateVector, client);
    writeStructs(encoder, { client, clock, structs });
    addDeletedAfter(ranges, { client, clock, structs });
  }
  writeDeletes(encoder.restEncoder, mergeRanges(ranges));
  return encoder.toUint8Array();
}

interface Rest {
  readonly client: number;
  /** From here on. */
  readonly clock: number;
  readonly structs: readonly StoredStruct[];
}

function writeStructs(encoder: Y.UpdateEncoderV1, { client, clock, structs }: Rest): void {
  const first = indexOfClock(structs, clock);
  encoding.writeVarUint(encoder.restEncoder, structs.length - first);
  encoder.writeClient(client);
  encoding.writeVarUint(encoder.restEncoder, clock);
  for (let i = first; i < structs.length; i++) {
    const struct = structs[i]!;
    struct.write(encoder, Math.max(0, clock - struct.id.clock));
  }
}

function addDeletedAfter(ranges: ClockRange[], { client, clock, structs }: Rest): void {
  for (let i = indexOfClock(structs, clock); i < structs.length; i++) {
    const struct = structs[i]!;
    if (!struct.deleted) continue;
    const from = Math.max(clock, struct.id.clock);
    ranges.push({ client, clock: from, length: struct.id.clock + struct.length - from });
  }
}

/** What an update deletes, read strictly. @throws WeftError `update-malformed` */
export function deletionsIn(update: Uint8Array, limits?: Partial<GuardLimits>): DeletedRanges {
  return parseUpdate(update, resolveLimits(limits)).deletes;
}

/** All deletions of a document. One pass over its structs: worth keeping where many ask. */
export function deletionsOf(doc: Y.Doc): DeletedRanges {
  const blocks: DeleteBlock[] = [];
  for (const [client, structs] of doc.store.clients) {
    const block = none(client);
    for (let i = 0; i < structs.length; i++) {
      const struct = structs[i]!;
      if (struct.deleted) addRange(block, struct.id.clock, struct.id.clock + struct.length);
    }
    if (block.clocks.length > 0) blocks.push(block);
  }
  return blocks;
}

export interface Deleted {
  /** In the document, at some moment. */
  readonly before: DeletedRanges;
  /** In the document, since. */
  readonly since: readonly ClockRange[];
}

export interface Known {
  /** Of the replica. What comes after it was sent with its deletions. */
  readonly stateVector: StateVector;
  /** All that it had deleted. */
  readonly deletions: DeletedRanges;
  /** What it was told besides. */
  readonly told: readonly ClockRange[];
}

/** The deletions that a replica lacks: an update, `undefined` when there are none. */
export function lackingDeletions({ before, since }: Deleted, known: Known): Uint8Array | undefined {
  const has = byClient(known.deletions);
  const wasTold = byClient(mergeRanges(known.told));
  const lacking: ClockRange[] = [];
  for (const block of [...before, ...mergeRanges(since)]) {
    const { client } = block;
    const sent = clockOf(known.stateVector, client);
    const unknown = without(block, has.get(client) ?? none(client), sent);
    const { clocks, lengths } = without(unknown, wasTold.get(client) ?? none(client), sent);
    for (let i = 0; i < clocks.length; i++) lacking.push({ client, clock: clocks[i]!, length: lengths[i]! });
  }
  if (lacking.length === 0) return undefined;
  const encoder = encoding.createEncoder();
  encoding.writeVarUint(encoder, 0);
  writeDeletes(encoder, mergeRanges(lacking));
  return encoding.toUint8Array(encoder);
}

/** Whether an update brings no structs, and deletes nothing but what is deleted. */
export function isAllDeleted(
  { before, since }: Deleted,
  update: Uint8Array,
  deletions: DeletedRanges,
): boolean {
  // It begins with the number of its blocks.
  if (update[0] !== 0) return false;
  const [known, later] = [byClient(before), byClient(mergeRanges(since))];
  return deletions.every((block) => {
    const rest = without(block, known.get(block.client) ?? none(block.client), Infinity);
    return without(rest, later.get(block.client) ?? none(block.client), Infinity).clocks.length === 0;
  });
}

function clockOf(stateVector: StateVector, client: number): number {
  return stateVector.get(client) ?? 0;
}

function byClient(blocks: DeletedRanges): Map<number, DeleteBlock> {
  return new Map(blocks.map((block) => [block.client, block]));
}

function none(client: number): DeleteBlock {
  return { client, clocks: [], lengths: [] };
}

/** The ranges below `end` that are not in `known`. Both ascend, so one pass over each will do. */
function without(block: DeleteBlock, known: DeleteBlock, end: number): DeleteBlock {
  const rest = none(block.client);
  const { clocks, lengths } = known;
  let next = 0;
  for (let i = 0; i < block.clocks.length; i++) {
    let clock = block.clocks[i]!;
    const to = Math.min(end, clock + block.lengths[i]!);
    while (clock < to) {
      while (next < clocks.length && clocks[next]! + lengths[next]! <= clock) next++;
      const from = next < clocks.length ? Math.min(to, clocks[next]!) : to;
      if (clock < from) addRange(rest, clock, from);
      clock = next < clocks.length ? Math.max(from, clocks[next]! + lengths[next]!) : to;
    }
  }
  return rest;
}
