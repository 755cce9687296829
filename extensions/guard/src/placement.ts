import type * as Y from 'yjs';
import type { Analysis } from './analysis.ts';
import { checkNeighbours } from './neighbours.ts';
import { Ref } from './content.ts';
import { malformed } from './errors.ts';
import { ABSENT, type StructBlock, StructRecord } from './parse.ts';
import type { Place, SharedType } from './places.ts';
import { isItem, typeHeldBy, type StoredStruct } from './store.ts';
import { stateOf } from './store.ts';

/**
 * Finds the place of every new struct, in the order in which Yjs will integrate them: higher client ids first, and
 * before a struct whatever it refers to. Source: Yjs, `integrateStructs`.
 */
export function placeAll(analysis: Analysis): void {
  const { blocks } = analysis.update;
  if (blocks.length === 1) return placeBlock(analysis, blocks[0]!);
  const ordered = blocks.toSorted((a, b) => b.client - a.client);
  for (const block of ordered) placeBlock(analysis, block);
}

function placeBlock(analysis: Analysis, base: StructBlock): void {
  while (!base.blocked && base.cursor < base.records.length) {
    const needed = placeNext(analysis, base);
    if (needed !== undefined) placeNeeded(analysis, base, needed);
  }
}

/** Works off a chain of blocks that wait for each other, one struct at a time like Yjs. */
function placeNeeded(analysis: Analysis, base: StructBlock, needed: StructBlock): void {
  const waiting = [base, needed];
  base.waiting = needed.waiting = true;
  while (waiting.length > 1) {
    const block = waiting[waiting.length - 1]!;
    const next = block.blocked ? undefined : placeNext(analysis, block);
    if (next !== undefined) {
      if (next.waiting) throw malformed('structs that depend on each other');
      next.waiting = true;
      waiting.push(next);
      continue;
    }
    waiting.pop();
    block.waiting = false;
    if (block.blocked) for (const waiter of waiting) waiter.blocked = true;
  }
  base.waiting = false;
}

/** Places the next struct of the block; or returns the block that must go on first, or blocks this one. */
function placeNext(analysis: Analysis, block: StructBlock): StructBlock | undefined {
  const record = block.records[block.cursor]!;
  if (record.ref === Ref.Skip) {
    analysis.addMissing(record.client, record.clock, record.length);
    block.blocked = true;
    return undefined;
  }
  if (record.ref !== Ref.GC) {
    const needed =
      unmet(analysis, block, record, record.originClient, record.originClock) ??
      unmet(analysis, block, record, record.rightClient, record.rightClock) ??
      unmet(analysis, block, record, record.parentClient, record.parentClock);
    if (needed !== undefined || block.blocked) return needed;
    placeItem(analysis, record);
  }
  block.cursor++;
  return undefined;
}

/** The block that must go on before this reference is met; `undefined` when it is met, or never (then `block.blocked`). */
function unmet(
  analysis: Analysis,
  block: StructBlock,
  record: StructRecord,
  client: number,
  clock: number,
): StructBlock | undefined {
  if (client === ABSENT || block.blocked) return undefined;
  if (client === record.client) {
    if (clock >= record.clock) throw malformed('reference to itself or to what follows');
    return undefined;
  }
  const state = stateOf(analysis.structsOf(client));
  if (clock < state) return undefined;
  const other = analysis.blockOf(client);
  if (other === undefined || clock >= other.end || clock < other.clock) {
    const from = other !== undefined && clock >= other.end ? other.end : state;
    analysis.addMissing(client, from, clock - from + 1);
    block.blocked = true;
    return undefined;
  }
  const next = other.records[other.cursor];
  if (next === undefined || clock < next.clock) return undefined;
  if (other.blocked) {
    block.blocked = true;
    return undefined;
  }
  return other;
}

function placeItem(analysis: Analysis, record: StructRecord): void {
  const left = analysis.find(record.originClient, record.originClock);
  const right = analysis.find(record.rightClient, record.rightClock);
  if ((left && isGone(left)) || (right && isGone(right))) return collapse(analysis, record);
  const neighbour = left ?? right;
  if (neighbour !== undefined) {
    record.place = placeOf(analysis, neighbour);
    record.key = keyOf(neighbour);
  } else {
    const place = explicitPlace(analysis, record);
    if (place === undefined) return collapse(analysis, record);
    record.place = place;
    record.key = record.explicitKey;
  }
  if (left && right && (placeOf(analysis, right) !== record.place || keyOf(right) !== record.key)) {
    throw malformed('neighbours in different lists');
  }
  checkNeighbours(analysis, record, left, right);
  note(analysis, record, record.place);
}

/** Yjs makes a GC of whatever has a GC as neighbour, or a parent whose content is gone. */
function isGone(struct: StoredStruct | StructRecord): boolean {
  if (struct instanceof StructRecord) return struct.collapsed || struct.ref === Ref.GC;
  return !isItem(struct);
}

function placeOf(analysis: Analysis, struct: StoredStruct | StructRecord): Place {
  if (struct instanceof StructRecord) return struct.place!;
  return analysis.places.ofType((struct as Y.Item).parent as SharedType);
}

function keyOf(struct: StoredStruct | StructRecord): string | null {
  return struct instanceof StructRecord ? struct.key : (struct as Y.Item).parentSub;
}

function explicitPlace(analysis: Analysis, record: StructRecord): Place | undefined {
  if (record.rootName !== undefined) return analysis.places.ofRoot(record.rootName);
  const holder = analysis.find(record.parentClient, record.parentClock)!;
  if (holder instanceof StructRecord) {
    if (holder.collapsed || holder.ref === Ref.GC || holder.ref === Ref.Deleted) return undefined;
    if (holder.inner === undefined) throw malformed('parent is no shared type');
    return holder.inner;
  }
  const type = typeHeldBy(holder);
  if (type === undefined) throw malformed('parent is no shared type');
  return type === 'gone' ? undefined : analysis.places.ofType(type);
}

function collapse(analysis: Analysis, record: StructRecord): void {
  record.collapsed = true;
  analysis.rewrite = true;
  const last = analysis.collapsed.at(-1);
  if (last?.client === record.client && last.clock + last.length === record.clock) {
    analysis.collapsed[analysis.collapsed.length - 1] = { ...last, length: last.length + record.length };
  } else {
    analysis.collapsed.push({ client: record.client, clock: record.clock, length: record.length });
  }
}

/** Writes down what the item does to its root. */
function note(analysis: Analysis, record: StructRecord, place: Place): void {
  place.added++;
  analysis.placed.push(record);
  place.access.inserts = true;
  if (record.ref === Ref.Type) record.inner = analysis.places.inside(place);
  if (record.key === null) return;
  if (place.depth === 0) place.access.keys.add(record.key);
  if (record.length > 1 && record.ref !== Ref.Deleted && !isDeletedHere(analysis, record)) {
    throw malformed('several values under one key');
  }
  // It replaces the value: at once when it comes to lie behind it, as it does unless somebody wrote meanwhile.
  const current = place.type?._map.get(record.key);
  if (current !== undefined && !current.deleted) place.access.deletes = true;
}

function isDeletedHere(analysis: Analysis, record: StructRecord): boolean {
  const block = analysis.update.deletes.find(({ client }) => client === record.client);
  if (block === undefined) return false;
  const index = block.clocks.findLastIndex((clock) => clock <= record.clock);
  return index >= 0 && block.clocks[index]! + block.lengths[index]! >= record.clock + record.length;
}
