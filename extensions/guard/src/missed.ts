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
    const deleted = deletedBefore(client, structs, clockOf(stateVector, client));
    const rest = without(without(deleted, known.get(client)), knownSince.get(client));
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

function deletedBefore(client: number, structs: readonly StoredStruct[], end: number): DeleteBlock {
  const block: DeleteBlock = { client, clocks: [], lengths: [] };
  for (const struct of structs) {
    if (struct.id.clock >= end) break;
    if (struct.deleted) addRange(block, struct.id.clock, Math.min(end, struct.id.clock + struct.length));
  }
  return block;
}

function without(block: DeleteBlock, known: DeleteBlock | undefined): DeleteBlock {
  if (known === undefined || block.clocks.length === 0) return block;
  const rest: DeleteBlock = { client: block.client, clocks: [], lengths: [] };
  let next = 0;
  for (let i = 0; i < block.clocks.length; i++) {
    let clock = block.clocks[i]!;
    const end = clock + block.lengths[i]!;
    while (clock < end) {
      while (next < known.clocks.length && known.clocks[next]! + known.lengths[next]! <= clock) next++;
      const knownFrom = known.clocks[next] ?? end;
      if (clock < knownFrom) addRange(rest, clock, Math.min(end, knownFrom));
      clock = Math.max(clock, knownFrom + (known.lengths[next] ?? 0));
    }
  }
  return rest;
}
