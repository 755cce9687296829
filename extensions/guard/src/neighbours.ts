import type * as Y from 'yjs';
import type { Analysis } from './analysis.ts';
import { costly, malformed } from './errors.ts';
import { StructRecord } from './parse.ts';
import type { StoredStruct } from './store.ts';

type Struct = StoredStruct | StructRecord;

/**
 * An item claims that its origin lies before its right origin. Where that is false, or something written twice in
 * one place, replicas come to different orders. Yjs walks over what lies between, so that is bounded here too.
 */
export function checkNeighbours(
  analysis: Analysis,
  record: StructRecord,
  left: Struct | undefined,
  right: Struct | undefined,
): void {
  if (left instanceof StructRecord || right instanceof StructRecord) {
    if (!isPlain(record, left, right)) analysis.replay = true;
    return;
  }
  walkStored(analysis, record, left as Y.Item | undefined, right as Y.Item | undefined);
}

/** Whether the order of neighbours that are in this update follows from what was already checked of them. */
function isPlain(record: StructRecord, left: Struct | undefined, right: Struct | undefined): boolean {
  if (left === undefined || right === undefined) return true;
  if (left === right) return isBefore(record);
  // A struct lies before its own right origin,
  if (left instanceof StructRecord) {
    if (left.rightClient === record.rightClient && left.rightClock === record.rightClock) return true;
  }
  // and after its own origin.
  return (
    right instanceof StructRecord &&
    right.originClient === record.originClient &&
    right.originClock === record.originClock
  );
}

function isBefore(record: StructRecord): boolean {
  if (record.originClock < record.rightClock) return true;
  throw malformed('neighbours in the wrong order');
}

/** Walks from a stored origin to a stored right origin. Source: Yjs, `Item.integrate`. */
function walkStored(
  analysis: Analysis,
  record: StructRecord,
  left: Y.Item | undefined,
  right: Y.Item | undefined,
): void {
  if (left !== undefined && left === right) {
    isBefore(record);
    return;
  }
  if (left === undefined && right?.left === null && right.id.clock === record.rightClock) return;
  let steps = 0;
  let next: Y.Item | null;
  if (left === undefined) {
    next = firstOf(analysis, record);
  } else {
    next = left.right;
    if (left.id.clock + left.length - 1 !== record.originClock) steps++;
  }
  while (next !== null && next !== right) {
    if (++steps > analysis.limits.maxWalk) throw costly('too many items between its neighbours');
    next = next.right;
  }
  if (right !== undefined && next === null) throw malformed('neighbours in the wrong order');
  analysis.walked += steps;
  if (analysis.walked > analysis.limits.maxTotalWalk) throw costly('too many items between neighbours');
}

/** The first item of the list or, for a key, of all that was ever written under it. */
function firstOf(analysis: Analysis, record: StructRecord): Y.Item | null {
  const type = record.place!.type;
  if (type === undefined) return null;
  if (record.key === null) return type._start;
  let item = type._map.get(record.key) ?? null;
  let steps = 0;
  while (item !== null && item.left !== null) {
    if (++steps > analysis.limits.maxWalk) throw costly('too many values of one key');
    item = item.left;
  }
  return item;
}
