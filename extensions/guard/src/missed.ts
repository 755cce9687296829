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

export interface Known {
  /** Of the replica. What comes after it was sent with its deletions. */
  readonly stateVector: StateVector;
  /** All that it had deleted. */
  readonly deletions: DeletedRanges;
  /** What it was told since. */
  readonly told: readonly ClockRange[];
}

/**
 * The deletions of the document that a replica has not: an update, `undefined` when there are none. One pass over the
 * document's structs, and over the deletions that the replica has.
 */
export function lackingDeletions(
  doc: Y.Doc,
  { stateVector, deletions, told }: Known,
): Uint8Array | undefined {
  const known = byClient(deletions);
  const knownSince = byClient(mergeRanges(told));
  const lacking: DeleteBlock[] = [];
  for (const [client, structs] of doc.store.clients) {
    const end = clockOf(stateVector, client);
    const unknown = deletedBesides(known.get(client) ?? none(client), { structs, end });
    const rest = without(unknown, knownSince.get(client) ?? none(client));
    if (rest.clocks.length > 0) lacking.push(rest);
  }
  if (lacking.length === 0) return undefined;
  const encoder = encoding.createEncoder();
  encoding.writeVarUint(encoder, 0);
  writeDeletes(encoder, lacking);
  return encoding.toUint8Array(encoder);
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

interface Before {
  readonly structs: readonly StoredStruct[];
  /** The clocks below it. */
  readonly end: number;
}

/** What is deleted and not in `known`. Almost all is: nothing is kept of that. */
function deletedBesides(known: DeleteBlock, { structs, end }: Before): DeleteBlock {
  const rest = none(known.client);
  const { clocks, lengths } = known;
  let next = 0;
  for (let i = 0; i < structs.length; i++) {
    const struct = structs[i]!;
    if (!struct.deleted) continue;
    const { clock } = struct.id;
    if (clock >= end) break;
    const last = Math.min(end, clock + struct.length);
    while (next < clocks.length && clocks[next]! + lengths[next]! <= clock) next++;
    const covered = next < clocks.length && clocks[next]! <= clock && clocks[next]! + lengths[next]! >= last;
    if (!covered) addUncovered(rest, known, { from: clock, to: last, next });
  }
  return rest;
}

function without(block: DeleteBlock, known: DeleteBlock): DeleteBlock {
  const rest = none(block.client);
  for (let i = 0; i < block.clocks.length; i++) {
    const from = block.clocks[i]!;
    addUncovered(rest, known, { from, to: from + block.lengths[i]!, next: 0 });
  }
  return rest;
}

interface Uncovered {
  readonly from: number;
  readonly to: number;
  /** The first range of `known` that may reach beyond `from`. */
  readonly next: number;
}

function addUncovered(
  rest: DeleteBlock,
  { clocks, lengths }: DeleteBlock,
  { from, to, next }: Uncovered,
): void {
  let clock = from;
  for (let i = next; i < clocks.length && clocks[i]! < to; i++) {
    if (clock < clocks[i]!) addRange(rest, clock, clocks[i]!);
    clock = Math.max(clock, clocks[i]! + lengths[i]!);
  }
  if (clock < to) addRange(rest, clock, to);
}
