import * as Y from 'yjs';
import type { SharedType } from '../places.ts';

/**
 * All that makes two replicas equal: clocks, deletions, and every visible element with its id in its place. Equal
 * state vectors alone prove nothing.
 */
export function fingerprint(doc: Y.Doc): string {
  const clocks = [...doc.store.clients]
    .map(([client]) => [client, Y.getState(doc.store, client)])
    .toSorted(byFirst);
  const deletes = [...Y.createDeleteSetFromStructStore(doc.store).clients]
    .map(([client, ranges]) => [client, ...ranges.flatMap(({ clock, len }) => [clock, len])])
    .toSorted(byFirst);
  const roots = [...doc.share]
    .map(([name, type]) => [name, describe(type as SharedType)] as const)
    .filter(([, content]) => content !== '')
    .toSorted(([a], [b]) => (a < b ? -1 : 1));
  return JSON.stringify({ clocks, deletes, roots });
}

function byFirst([a]: number[], [b]: number[]): number {
  return a! - b!;
}

function describe(type: SharedType): string {
  const parts: string[] = [];
  for (let item = type._start; item !== null; item = item.right) {
    if (!item.deleted) parts.push(...describeItem(item));
  }
  for (const [key, item] of [...type._map].toSorted(([a], [b]) => (a < b ? -1 : 1))) {
    if (!item.deleted) parts.push(`${key}=`, ...describeItem(item));
  }
  return parts.join(' ');
}

function describeItem(item: Y.Item): string[] {
  const { client, clock } = item.id;
  const { content } = item;
  if (content instanceof Y.ContentType) {
    return [`${client}:${clock}:${content.type.constructor.name}{${describe(content.type as SharedType)}}`];
  }
  if (content instanceof Y.ContentFormat) {
    return [`${client}:${clock}:${content.key}=${JSON.stringify(content.value)}`];
  }
  return content.getContent().map((value, i) => `${client}:${clock + i}:${show(value)}`);
}

/** Yjs replaces a pair of surrogates by U+FFFD where a struct is split inside, which each replica does in its own time. */
const SURROGATE = /[\ud800-\udfff]/g;

function show(value: unknown): string {
  if (typeof value === 'string') return value.replace(SURROGATE, '\ufffd');
  return JSON.stringify(value, (_key, part: unknown) => (typeof part === 'bigint' ? `${part}n` : part));
}
