import type { ClockRange } from '@weft/common';
import type { Analysis } from './analysis.ts';
import { Ref } from './content.ts';
import { malformed } from './errors.ts';
import { ABSENT, type StructBlock, type StructRecord } from './parse.ts';
import { stateOf } from './store.ts';

/** Finds in each block what the document has not: sets `state` and `first`, cuts a struct that is partly known. */
export function findNews(analysis: Analysis): void {
  for (const block of analysis.update.blocks) {
    block.state = stateOf(analysis.structsOf(block.client));
    skipKnown(analysis, block);
  }
}

function skipKnown(analysis: Analysis, block: StructBlock): void {
  const { records, state, client } = block;
  if (block.clock > state) {
    analysis.addMissing(client, state, block.clock - state);
    block.blocked = true;
    return;
  }
  let first = 0;
  while (first < records.length && isKnown(records[first]!, state)) checkKnown(analysis, records[first++]!);
  block.first = block.cursor = first;
  if (first > 0) analysis.rewrite = true;
  const record = records[first];
  if (record === undefined || record.clock >= state) return;
  checkKnown(analysis, record);
  cutRecord(analysis, record, state);
}

/**
 * What is known was integrated with everything it refers to. Yjs resolves the references of known structs as well,
 * and would wait for these: where the whole update is applied all the same, they must not be others.
 */
function checkKnown(analysis: Analysis, record: StructRecord): void {
  checkKnownReference(analysis, record, record.originClient, record.originClock);
  checkKnownReference(analysis, record, record.rightClient, record.rightClock);
  checkKnownReference(analysis, record, record.parentClient, record.parentClock);
}

function checkKnownReference(analysis: Analysis, record: StructRecord, client: number, clock: number): void {
  if (client === ABSENT) return;
  const limit = client === record.client ? record.clock : stateOf(analysis.structsOf(client));
  if (clock >= limit) throw malformed('known struct with other references');
}

function isKnown(record: StructRecord, state: number): boolean {
  return record.clock + record.length <= state;
}

/**
 * What remains follows its own beginning, as Yjs' `diffUpdate` would have it. Applied whole it would be put next
 * to that beginning, but into the parent of whatever origin the sender claimed: out of its root.
 */
function cutRecord(analysis: Analysis, record: StructRecord, state: number): void {
  analysis.rewrite = true;
  record.cut = state - record.clock;
  record.clock = state;
  record.length -= record.cut;
  if (record.ref === Ref.GC || record.ref === Ref.Skip) return;
  record.originClient = record.client;
  record.originClock = state - 1;
  record.rootName = undefined;
  record.parentClient = ABSENT;
  record.explicitKey = null;
}

/** The clocks that are new, by author. */
export function authorsOf(analysis: Analysis): ClockRange[] {
  const authors: ClockRange[] = [];
  for (const { client, records, first, end, state, clock } of analysis.update.blocks) {
    if (first === records.length) continue;
    const from = Math.max(clock, state);
    authors.push({ client, clock: from, length: end - from });
  }
  return authors;
}
