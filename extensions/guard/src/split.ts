import type { ClockRange } from '@weft/common';
import * as encoding from 'lib0/encoding';
import { Ref } from './content.ts';
import { type GuardLimits, resolveLimits } from './limits.ts';
import { ABSENT, parseUpdate, type ParsedUpdate, type StructRecord } from './parse.ts';
import { emptyUpdate, mergeRanges, writeDeletes, writeGarbage, writeSkip } from './write.ts';

/** An update taken apart by who wrote what. Each part is an update; those that would be empty are {@link emptyUpdate}. */
export interface AuthorSplit {
  /** What the sender's own client ids wrote, as far as it needs nothing of the others' parts, and what was deleted of it and of the document. */
  readonly own: Uint8Array;
  /** What was written under other client ids, by client id. They may need each other and `own`. */
  readonly carried: ReadonlyMap<number, Uint8Array>;
  /** The sender's own structs that need a carried part, and deletions inside carried parts and these. Goes last. */
  readonly rest: Uint8Array;
}

/**
 * Takes apart an update that brings other people's work along. Deletions name no author: all of them count as the
 * sender's. Give it the `update` of an analysis without `missing`, so that whatever it refers to is in the document
 * or in the update itself.
 *
 * @throws WeftError `update-malformed`
 */
export function splitByAuthor(
  update: Uint8Array,
  isOwn: (client: number) => boolean,
  limits?: Partial<GuardLimits>,
): AuthorSplit {
  const parsed = parseUpdate(update, resolveLimits(limits));
  const ends = independentEnds(parsed, isOwn);
  const own: Part[] = [];
  const rest: Part[] = [];
  const carried = new Map<number, Uint8Array>();
  for (const { client, records } of parsed.blocks) {
    const end = ends.get(client)!;
    const before = records.filter(({ clock }) => clock < end);
    const after = records.slice(before.length);
    if (before.length > 0) own.push({ client, records: before });
    if (after.length === 0) continue;
    if (isOwn(client)) rest.push({ client, records: after });
    else carried.set(client, encode(parsed, [{ client, records: after }], []));
  }
  const deletes = splitDeletes(parsed, ends);
  return {
    own: encode(parsed, own, deletes.own),
    carried,
    rest: encode(parsed, rest, deletes.rest),
  };
}

/** A run of one client's structs. */
export interface Part {
  readonly client: number;
  readonly records: readonly StructRecord[];
}

/**
 * Where the independent part of each block ends: the sender's blocks go on in turns, each as far as what it refers
 * to has been reached, until none can.
 */
function independentEnds(parsed: ParsedUpdate, isOwn: (client: number) => boolean): Map<number, number> {
  const ends = new Map(parsed.blocks.map(({ client, clock }) => [client, clock]));
  const isMet = (client: number, clock: number): boolean => {
    const end = client === ABSENT ? undefined : ends.get(client);
    return end === undefined || clock < end;
  };
  let open = parsed.blocks.filter(({ client }) => isOwn(client)).map(({ records }) => ({ records, next: 0 }));
  for (let moved = true; moved; open = open.filter(({ records, next }) => next < records.length)) {
    moved = false;
    for (const block of open) {
      const before = block.next;
      while (block.next < block.records.length && isIndependent(block.records[block.next]!, isMet)) {
        const { client, clock, length } = block.records[block.next++]!;
        ends.set(client, clock + length);
      }
      moved ||= block.next > before;
    }
  }
  return ends;
}

/** Whether everything is there that it refers to. */
export function isIndependent(
  record: StructRecord,
  isMet: (client: number, clock: number) => boolean,
): boolean {
  return (
    isMet(record.originClient, record.originClock) &&
    isMet(record.rightClient, record.rightClock) &&
    isMet(record.parentClient, record.parentClock)
  );
}

function splitDeletes(parsed: ParsedUpdate, ends: ReadonlyMap<number, number>) {
  const own: ClockRange[] = [];
  const rest: ClockRange[] = [];
  for (const { client, clocks, lengths } of parsed.deletes) {
    const border = ends.get(client) ?? Infinity;
    clocks.forEach((clock, i) => {
      const end = clock + lengths[i]!;
      if (clock < border) own.push({ client, clock, length: Math.min(end, border) - clock });
      const from = Math.max(clock, border);
      if (end > from) rest.push({ client, clock: from, length: end - from });
    });
  }
  return { own, rest };
}

export function encode(
  { bytes }: ParsedUpdate,
  parts: readonly Part[],
  deletes: readonly ClockRange[] = [],
): Uint8Array {
  if (parts.length === 0 && deletes.length === 0) return emptyUpdate;
  const encoder = encoding.createEncoder();
  encoding.writeVarUint(encoder, parts.length);
  for (const { client, records } of parts) {
    encoding.writeVarUint(encoder, records.length);
    encoding.writeVarUint(encoder, client);
    encoding.writeVarUint(encoder, records[0]!.clock);
    for (const record of records) {
      // Several GCs or Skips of the update may have become this one.
      if (record.ref === Ref.GC) writeGarbage(encoder, record.length);
      else if (record.ref === Ref.Skip) writeSkip(encoder, record.length);
      else encoding.writeUint8Array(encoder, bytes.subarray(record.start, record.end));
    }
  }
  writeDeletes(encoder, mergeRanges(deletes));
  return encoding.toUint8Array(encoder);
}
