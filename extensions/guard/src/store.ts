import type * as Y from 'yjs';

export type StoredStruct = Y.Item | Y.GC;
type StoredStructs = readonly StoredStruct[];

/** The next clock of a client in the document. */
export function stateOf(structs: StoredStructs | undefined): number {
  if (structs === undefined) return 0;
  const last = structs[structs.length - 1]!;
  return last.id.clock + last.length;
}

/** The index of the struct that holds the clock, which must be below the client's state. */
export function indexOfClock(structs: StoredStructs, clock: number): number {
  let low = 0;
  let high = structs.length - 1;
  // What people refer to is mostly what was written last.
  if (structs[high]!.id.clock <= clock) return high;
  while (low < high) {
    const middle = (low + high + 1) >>> 1;
    if (structs[middle]!.id.clock <= clock) low = middle;
    else high = middle - 1;
  }
  return low;
}

/** A GC has no content; told by that, so that a second copy of Yjs in the process does no harm. */
export function isItem(struct: StoredStruct): struct is Y.Item {
  return (struct as Partial<Y.Item>).content !== undefined;
}

const CONTENT_DELETED = 1;
const CONTENT_TYPE = 7;

/** What a struct offers to children: the type it holds, `'gone'` when there was one perhaps, `undefined` when never. */
export function typeHeldBy(struct: StoredStruct): Y.AbstractType<unknown> | 'gone' | undefined {
  if (!isItem(struct)) return 'gone';
  const ref = struct.content.getRef();
  if (ref === CONTENT_DELETED) return 'gone';
  return ref === CONTENT_TYPE ? (struct.content as Y.ContentType).type : undefined;
}
