import type { ClockRange } from '@weft/common';
import * as Y from 'yjs';
import { Ref } from './content.ts';
import { type GuardLimits, resolveLimits } from './limits.ts';
import { parseUpdate, type ParsedUpdate, type StructRecord } from './parse.ts';
import { encode, isIndependent } from './split.ts';

/** What somebody brought, and which of its client ids are their own. */
export interface Brought {
  readonly update: Uint8Array;
  readonly isOwn: (client: number) => boolean;
}

/** A part of what one of them brought, of one of their own client ids. */
export interface Turn {
  /** Its index in what was given. */
  readonly from: number;
  readonly update: Uint8Array;
}

export interface TurnOptions {
  /** So many at most. */
  readonly max?: number;
  readonly limits?: Partial<GuardLimits>;
}

/** One client's structs, as far as they are not in the document. */
interface OpenBlock {
  readonly from: number;
  readonly parsed: ParsedUpdate;
  readonly client: number;
  readonly records: readonly StructRecord[];
  next: number;
}

/**
 * People who wrote into each other's words and bring them back: nobody's part stands alone, and each is taken from
 * its author only. Gives their structs in an order in which every turn needs nothing but the document and the turns
 * before it. What needs somebody's who is not among them is left out, and so are deletions of what others wrote, since
 * deletions name no author.
 *
 * @throws WeftError `update-malformed`
 */
export function inTurns(doc: Y.Doc, brought: readonly Brought[], options: TurnOptions = {}): Turn[] {
  const { max = Infinity, limits } = options;
  const ends = new Map<number, number>();
  const endOf = (client: number) => ends.get(client) ?? Y.getState(doc.store, client);
  const isMet = (client: number, clock: number) => client < 0 || clock < endOf(client);
  let open = [...longestBlocks(doc, brought, resolveLimits(limits)).values()];
  const turns: Turn[] = [];
  for (let moved = true; moved; open = open.filter(({ records, next }) => next < records.length)) {
    moved = false;
    for (const block of open) {
      if (turns.length >= max) return turns;
      const { from, parsed, client } = block;
      const records = takeRun(block, isMet);
      const last = records.at(-1);
      if (!last) continue;
      ends.set(client, last.clock + last.length);
      turns.push({
        from,
        update: encode(parsed, [{ client, records }], deletionsOf(parsed, client, records)),
      });
      moved = true;
    }
  }
  return turns;
}

/** By client: the same person may have brought it twice, in two sessions. */
function longestBlocks(doc: Y.Doc, brought: readonly Brought[], limits: GuardLimits): Map<number, OpenBlock> {
  const longest = new Map<number, OpenBlock>();
  const ends = new Map<number, number>();
  for (const [from, { update, isOwn }] of brought.entries()) {
    const parsed = parseUpdate(update, limits);
    for (const { client, clock, end, records } of parsed.blocks) {
      const state = Y.getState(doc.store, client);
      if (!isOwn(client) || clock > state || end <= (ends.get(client) ?? state)) continue;
      const next = records.findIndex((record) => record.clock + record.length > state);
      longest.set(client, { from, parsed, client, records, next });
      ends.set(client, end);
    }
  }
  return longest;
}

function takeRun(block: OpenBlock, isMet: (client: number, clock: number) => boolean): StructRecord[] {
  const run: StructRecord[] = [];
  const { client, records } = block;
  for (let record = records[block.next]; record; record = records[block.next]) {
    const { clock } = record;
    // What is written in this very run is there by then.
    const isThere = (other: number, at: number) => (other === client && at < clock) || isMet(other, at);
    if (record.ref === Ref.Skip || !isIndependent(record, isThere)) break;
    run.push(record);
    block.next++;
  }
  return run;
}

/** Of these structs: replaced values of a map have become one struct, which is well-formed only as a deleted one. */
function deletionsOf(
  { deletes }: ParsedUpdate,
  client: number,
  records: readonly StructRecord[],
): ClockRange[] {
  const block = deletes.find((candidate) => candidate.client === client);
  const from = records[0]!.clock;
  const last = records.at(-1)!;
  const to = last.clock + last.length;
  const within: ClockRange[] = [];
  block?.clocks.forEach((start, i) => {
    const clock = Math.max(start, from);
    const end = Math.min(start + block.lengths[i]!, to);
    if (clock < end) within.push({ client, clock, length: end - clock });
  });
  return within;
}
