import type * as Y from 'yjs';
import type { Analysis } from './analysis.ts';
import { costly, disordered } from './errors.ts';
import { ABSENT, StructRecord } from './parse.ts';
import type { StoredStruct } from './store.ts';

type Struct = StoredStruct | StructRecord;

/**
 * An item claims that its origin and right origin were side by side when it was written. Where that can't have been,
 * replicas come to different orders. Three things are implied and checked: the origin lies before the right origin;
 * the origin of the right origin, which came before it, not after the origin; and the right origin of the origin not
 * before the right origin. Yjs walks over what lies between, so the walk is bounded here too.
 */
export function checkNeighbours(
  analysis: Analysis,
  record: StructRecord,
  left: Struct | undefined,
  right: Struct | undefined,
): void {
  if (!isChained(record, left)) {
    analysis.passed += record.place!.added;
    if (analysis.passed > analysis.limits.maxTotalWalk) analysis.needsReplay = true;
  }
  if (left instanceof StructRecord || right instanceof StructRecord) {
    if (!isPlain(record, left, right)) analysis.needsReplay = true;
    return;
  }
  walkStored(analysis, record, left as Y.Item | undefined, right as Y.Item | undefined);
}

/**
 * Whether it goes on where the struct before it ended, as typed text does. All those of an update together walk over
 * each of its items at most once.
 */
function isChained(record: StructRecord, left: Struct | undefined): boolean {
  return (
    left instanceof StructRecord &&
    left.client === record.client &&
    left.clock + left.length === record.clock &&
    record.originClock === record.clock - 1 &&
    left.rightClient === record.rightClient &&
    left.rightClock === record.rightClock
  );
}

/**
 * Whether the place between neighbours of which one is in this update follows from what was checked of them; if not,
 * the replay has to look.
 */
function isPlain(record: StructRecord, left: Struct | undefined, right: Struct | undefined): boolean {
  if (left === undefined) return hasNoOrigin(record, right!);
  if (right === undefined) return hasNoRight(left);
  if (left === right) return isNext(record);
  // Right before the same right origin as its origin is, or right after the same origin as its right origin is.
  return (
    (left instanceof StructRecord &&
      left.rightClient === record.rightClient &&
      left.rightClock === record.rightClock) ||
    (right instanceof StructRecord &&
      right.clock === record.rightClock &&
      right.originClient === record.originClient &&
      right.originClock === record.originClock)
  );
}

function hasNoOrigin(record: StructRecord, right: Struct): boolean {
  const isFirst =
    right instanceof StructRecord ? right.originClient === ABSENT : (right as Y.Item).origin === null;
  if (isFirst && clockOf(right) === record.rightClock) return true;
  throw disordered();
}

function hasNoRight(left: Struct): boolean {
  const isLast =
    left instanceof StructRecord ? left.rightClient === ABSENT : (left as Y.Item).rightOrigin === null;
  if (isLast) return true;
  throw disordered();
}

/** Inside one struct only what follows each other was ever side by side. */
function isNext(record: StructRecord): boolean {
  if (record.originClock + 1 === record.rightClock) return true;
  throw disordered();
}

function clockOf(struct: Struct): number {
  return struct instanceof StructRecord ? struct.clock : struct.id.clock;
}

/** Walks from a stored origin to a stored right origin. */
function walkStored(
  analysis: Analysis,
  record: StructRecord,
  left: Y.Item | undefined,
  right: Y.Item | undefined,
): void {
  if (left === undefined && right !== undefined) hasNoOrigin(record, right);
  if (left !== undefined && right === undefined) hasNoRight(left);
  if (left !== undefined && left === right) {
    isNext(record);
    return;
  }
  if (left === undefined && right?.left === null) return;
  const isSplit = left !== undefined && left.id.clock + left.length - 1 !== record.originClock;
  let steps = isSplit ? 1 : 0;
  let next = left === undefined ? firstOf(analysis, record) : left.right;
  if (right !== undefined && right.id.clock !== record.rightClock) throw disordered();
  for (; next !== null && next !== right; next = next.right) {
    if (++steps > analysis.limits.maxWalk) throw costly('too many items between its neighbours');
    if (left && right && (holds(next, left.rightOrigin) || holds(next, right.origin))) throw disordered();
  }
  if (right !== undefined && next === null) throw disordered();
  analysis.walked += steps;
  if (analysis.walked > analysis.limits.maxTotalWalk) throw costly('too many items between neighbours');
}

function holds(item: Y.Item, id: Y.ID | null): boolean {
  if (id === null || id.client !== item.id.client) return false;
  return id.clock >= item.id.clock && id.clock < item.id.clock + item.length;
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
