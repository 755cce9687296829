import * as Y from 'yjs';

/** What really happened when an update was applied. */
export interface Effect {
  /** `client:clock+length` of what became known. */
  readonly authors: readonly string[];
  readonly inserts: ReadonlySet<string>;
  readonly deletes: ReadonlySet<string>;
  /** `root/key` of map keys written directly on a root. */
  readonly keys: ReadonlySet<string>;
  /** Roots that Yjs' own clean-up of formatting changed afterwards. */
  readonly cleaned: ReadonlySet<string>;
  readonly roots: readonly string[];
  /** New clocks that are GCs now. */
  readonly garbage: number;
  readonly pending: boolean;
}

/** A replica with the same content, the same types at the roots, and the same garbage collection. */
export function copyOf(doc: Y.Doc): Y.Doc {
  const copy = new Y.Doc({ gc: doc.gc });
  for (const [name, type] of doc.share) copy.get(name, type.constructor as typeof Y.AbstractType);
  // Loading would clean up formatting that the document itself has not cleaned up.
  const asLocal = (transaction: Y.Transaction): void => void (transaction.local = true);
  copy.on('beforeObserverCalls', asLocal);
  Y.applyUpdate(copy, Y.encodeStateAsUpdate(doc));
  copy.off('beforeObserverCalls', asLocal);
  return copy;
}

/** Applies an update and observes. Climbs from the structs that are in the store then, not from any analysis. */
export function observe(doc: Y.Doc, update: Uint8Array): Effect {
  const effect = {
    authors: [] as string[],
    inserts: new Set<string>(),
    deletes: new Set<string>(),
    keys: new Set<string>(),
    cleaned: new Set<string>(),
    garbage: 0,
  };
  const roots = new Set(doc.share.keys());
  let transactions = 0;
  const onTransaction = (transaction: Y.Transaction): void => {
    if (transactions++ > 0) return observeCleanup(doc, transaction, effect.cleaned);
    observeInserts(doc, transaction, effect);
    observeDeletes(doc, transaction, effect);
  };
  doc.on('beforeObserverCalls', onTransaction);
  try {
    Y.applyUpdate(doc, update);
  } finally {
    doc.off('beforeObserverCalls', onTransaction);
  }
  const pending = doc.store.pendingStructs !== null || doc.store.pendingDs !== null;
  return { ...effect, pending, roots: [...doc.share.keys()].filter((name) => !roots.has(name)) };
}

interface Seen {
  readonly authors: string[];
  readonly inserts: Set<string>;
  readonly deletes: Set<string>;
  readonly keys: Set<string>;
  garbage: number;
}

function observeInserts(doc: Y.Doc, transaction: Y.Transaction, seen: Seen): void {
  for (const [client, after] of transaction.afterState) {
    const before = transaction.beforeState.get(client) ?? 0;
    if (before === after) continue;
    seen.authors.push(`${client}:${before}+${after - before}`);
    for (const struct of doc.store.clients.get(client)!) {
      if (struct.id.clock < before) continue;
      if (struct instanceof Y.Item) {
        seen.inserts.add(rootOf(doc, struct));
        noteKey(doc, struct, seen.keys);
      } else {
        seen.garbage += struct.length;
      }
    }
  }
}

function observeDeletes(doc: Y.Doc, transaction: Y.Transaction, seen: Seen): void {
  for (const item of deletedItems(doc, transaction)) {
    if (item.id.clock >= (transaction.beforeState.get(item.id.client) ?? 0)) continue;
    seen.deletes.add(rootOf(doc, item));
    noteKey(doc, item, seen.keys);
  }
}

function observeCleanup(doc: Y.Doc, transaction: Y.Transaction, cleaned: Set<string>): void {
  for (const item of deletedItems(doc, transaction)) cleaned.add(rootOf(doc, item));
}

function* deletedItems(doc: Y.Doc, { deleteSet }: Y.Transaction): Generator<Y.Item> {
  for (const [client, ranges] of deleteSet.clients) {
    for (const struct of doc.store.clients.get(client)!) {
      const inRange = ranges.some(
        ({ clock, len }) => struct.id.clock < clock + len && clock < struct.id.clock + struct.length,
      );
      if (inRange && struct instanceof Y.Item) yield struct;
    }
  }
}

function noteKey(doc: Y.Doc, item: Y.Item, keys: Set<string>): void {
  const parent = item.parent as Y.AbstractType<unknown>;
  if (parent._item === null && item.parentSub !== null) keys.add(`${rootOf(doc, item)}/${item.parentSub}`);
}

function rootOf(doc: Y.Doc, item: Y.Item): string {
  let type = item.parent as Y.AbstractType<unknown>;
  while (type._item !== null) type = type._item.parent as Y.AbstractType<unknown>;
  for (const [name, root] of doc.share) if (root === (type as unknown)) return name;
  throw new Error('an item is below no root');
}
