import type { ClockRange } from '@weft/common';
import type * as Y from 'yjs';
import { Ref } from './content.ts';
import { type GuardLimits, resolveLimits } from './limits.ts';
import { ABSENT, parseUpdate, type StructBlock, type StructRecord } from './parse.ts';
import { RecordContent } from './record-content.ts';
import type { SharedType } from './places.ts';
import { indexOfClock, isItem, stateOf, type StoredStruct } from './store.ts';

export interface EquivocationOptions {
  /** Look only there; all of the update without it. */
  readonly within?: readonly ClockRange[];
  readonly limits?: Partial<GuardLimits>;
}

/**
 * Whether an update says something else than the document about clocks that the document has already: other content,
 * or the same in another place. Yjs never looks, so two such replicas have equal state vectors and stay different for
 * ever. What either side has deleted and given up is not compared; how long the structs are, on either side, makes no
 * difference. Costs about as much as parsing the update.
 *
 * @returns the first clocks that differ.
 * @throws WeftError `update-malformed`
 */
export function findEquivocation(
  doc: Y.Doc,
  update: Uint8Array,
  { within, limits }: EquivocationOptions = {},
): ClockRange | undefined {
  const all = resolveLimits(limits);
  const { blocks, bytes } = parseUpdate(update, all);
  for (const block of blocks) {
    const structs = doc.store.clients.get(block.client);
    if (structs === undefined) continue;
    const spans = spansOf(block, stateOf(structs), within);
    const found = new Comparison({ doc, structs, bytes, limits: all }).find(block, spans);
    if (found !== undefined) return found;
  }
  return undefined;
}

interface Span {
  readonly from: number;
  readonly to: number;
}

/** Where to look: ascending, below the clocks that the document has. */
function spansOf({ client, clock, end }: StructBlock, state: number, within?: readonly ClockRange[]): Span[] {
  const known = { from: clock, to: Math.min(end, state) };
  if (within === undefined) return known.from < known.to ? [known] : [];
  return within
    .filter((range) => range.client === client)
    .map((range) => ({
      from: Math.max(known.from, range.clock),
      to: Math.min(known.to, range.clock + range.length),
    }))
    .filter(({ from, to }) => from < to)
    .toSorted((a, b) => a.from - b.from);
}

interface ComparisonOptions {
  readonly doc: Y.Doc;
  readonly structs: readonly StoredStruct[];
  readonly bytes: Uint8Array;
  readonly limits: GuardLimits;
}

class Comparison {
  readonly #options: ComparisonOptions;

  constructor(options: ComparisonOptions) {
    this.#options = options;
  }

  find(block: StructBlock, spans: readonly Span[]): ClockRange | undefined {
    let next = 0;
    for (const record of block.records) {
      const end = record.clock + record.length;
      while (spans[next] !== undefined && spans[next]!.to <= record.clock) next++;
      for (let i = next; spans[i] !== undefined && spans[i]!.from < end; i++) {
        const { from, to } = spans[i]!;
        const found = this.#findIn(record, Math.max(from, record.clock), Math.min(to, end));
        if (found !== undefined) return found;
      }
    }
    return undefined;
  }

  #findIn(record: StructRecord, from: number, to: number): ClockRange | undefined {
    if (record.ref === Ref.GC || record.ref === Ref.Skip) return undefined;
    const { structs, bytes, limits } = this.#options;
    const content = new RecordContent(bytes, record, limits);
    for (let i = indexOfClock(structs, from); i < structs.length && structs[i]!.id.clock < to; i++) {
      const struct = structs[i]!;
      if (!isItem(struct)) continue;
      const clock = Math.max(from, struct.id.clock);
      const end = Math.min(to, struct.id.clock + struct.length);
      const same = this.#isInSamePlace(record, struct, clock) && content.equals(struct, clock, end);
      if (!same) return { client: record.client, clock, length: end - clock };
    }
    return undefined;
  }

  /** A struct goes on from its own beginning, so inside of it every clock's origin is the one before. */
  #isInSamePlace(record: StructRecord, item: Y.Item, clock: number): boolean {
    const right = item.rightOrigin;
    if (!isId(right, record.rightClient, record.rightClock)) return false;
    const begins = clock === record.clock;
    if (begins !== (clock === item.id.clock)) {
      return begins
        ? record.originClient === record.client && record.originClock === clock - 1
        : isId(item.origin, record.client, clock - 1);
    }
    if (!begins) return true;
    if (!isId(item.origin, record.originClient, record.originClock)) return false;
    return item.origin !== null || right !== null || this.#hasSameParent(record, item);
  }

  #hasSameParent(record: StructRecord, { parent, parentSub }: Y.Item): boolean {
    if (parentSub !== record.explicitKey) return false;
    const holder = (parent as SharedType)._item;
    if (holder !== null) {
      const { client, clock } = holder.id;
      return record.rootName === undefined && client === record.parentClient && clock === record.parentClock;
    }
    return record.rootName !== undefined && this.#options.doc.share.get(record.rootName) === parent;
  }
}

function isId(id: Y.ID | null, client: number, clock: number): boolean {
  return id === null ? client === ABSENT : id.client === client && id.clock === clock;
}
