import * as Y from 'yjs';

interface StructItem {
  readonly deleted: boolean;
  readonly right: StructItem | null;
  readonly content: {
    getContent(): unknown[];
    readonly type?: SharedType;
    readonly key?: string;
    value?: unknown;
  };
}

interface SharedType {
  readonly _start: StructItem | null;
  readonly _map: Map<string, StructItem>;
}

interface TypeContent {
  readonly sequence: readonly unknown[];
  readonly entries: readonly (readonly [string, unknown])[];
}

/** What a type holds, whatever it was declared as, and however its items are split. */
function contentOf(type: SharedType): TypeContent {
  const sequence: unknown[] = [];
  for (let item = type._start; item; item = item.right) {
    if (!item.deleted) sequence.push(...itemContent(item));
  }
  const entries = [...type._map]
    .filter(([, item]) => !item.deleted)
    .map(([key, item]) => [key, itemContent(item).at(-1)] as const)
    .sort(([a], [b]) => (a < b ? -1 : 1));
  return { sequence, entries };
}

function itemContent({ content }: StructItem): unknown[] {
  if (content.type) return [contentOf(content.type)];
  if (content.key !== undefined) return [{ format: content.key, value: content.value }];
  return content.getContent();
}

/**
 * Everything by which two replicas can differ. Equal state vectors prove nothing: content at the same clocks can
 * differ, and deletions do not show in a state vector at all.
 */
export interface Fingerprint {
  readonly stateVector: string;
  readonly deleteSet: string;
  readonly content: string;
  /** Structs and deletions that wait for something the replica does not have. */
  readonly pending: boolean;
}

export function fingerprint(document: Y.Doc): Fingerprint {
  const { ds, sv } = Y.snapshot(document);
  const deletions = [...ds.clients]
    .sort(([a], [b]) => a - b)
    .map(([client, ranges]) => [client, ranges.map(({ clock, len }) => [clock, len])]);
  const roots = [...document.share].sort(([a], [b]) => (a < b ? -1 : 1));
  const content = roots
    .map(([name, type]) => [name, contentOf(type as unknown as SharedType)] as const)
    // A root that was only looked at holds nothing, and does not travel.
    .filter(([, { sequence, entries }]) => sequence.length > 0 || entries.length > 0);
  return {
    stateVector: JSON.stringify([...sv].sort(([a], [b]) => a - b)),
    deleteSet: JSON.stringify(deletions),
    content: JSON.stringify(content),
    pending: document.store.pendingStructs !== null || document.store.pendingDs !== null,
  };
}

/** What differs between replicas, by name; empty when all agree and none waits for anything. */
export function differences(documents: Readonly<Record<string, Y.Doc>>): string[] {
  const prints = Object.entries(documents).map(([name, document]) => [name, fingerprint(document)] as const);
  const first = prints[0];
  if (!first) return [];
  const found = prints.filter(([, print]) => print.pending).map(([name]) => `${name} has pending structs`);
  for (const [name, print] of prints.slice(1)) {
    for (const part of ['stateVector', 'deleteSet', 'content'] as const) {
      if (print[part] === first[1][part]) continue;
      found.push(`${part} of ${name} and ${first[0]}: ${excerpt(print[part], first[1][part])}`);
    }
  }
  return found;
}

function excerpt(a: string, b: string): string {
  let at = 0;
  while (at < a.length && a[at] === b[at]) at++;
  const from = Math.max(0, at - 40);
  return `…${a.slice(from, at + 80)}… and …${b.slice(from, at + 80)}… (${a.length} and ${b.length} characters)`;
}

export function documentOf(...updates: readonly Uint8Array[]): Y.Doc {
  const document = new Y.Doc();
  if (updates.length > 0) Y.applyUpdate(document, Y.mergeUpdates([...updates]));
  return document;
}

/** Those of `updates` that the document does not hold in full, structs and deletions. */
export function missingFrom(document: Y.Doc, updates: readonly Uint8Array[]): Uint8Array[] {
  const state = Y.encodeStateAsUpdate(document);
  let copy = documentOf(state);
  return updates.filter((update) => {
    let changed = false;
    copy.once('update', () => {
      changed = true;
    });
    Y.applyUpdate(copy, update);
    // What waits for something else gives no event, and is missing all the same.
    const missing = changed || copy.store.pendingStructs !== null || copy.store.pendingDs !== null;
    if (missing) copy = documentOf(state);
    return missing;
  });
}

/** What an update has, for the message of a failure: `client: first clock + length`, insertions and then deletions. */
export function describeUpdate(update: Uint8Array): string {
  const { structs, ds } = Y.decodeUpdate(update);
  const inserted = structs.map(({ id, length }) => `${id.client}: ${id.clock} + ${length}`);
  const deleted = [...ds.clients].flatMap(([client, ranges]) =>
    ranges.map(({ clock, len }) => `${client}: ${clock} + ${len}`),
  );
  return `inserts ${inserted.join(', ') || 'nothing'}; deletes ${deleted.join(', ') || 'nothing'}`;
}
