import * as Y from 'yjs';
import { TEXT_ROOT } from './access.ts';

export type Clocks = ReadonlyMap<number, number>;

/**
 * The text of each block that holds something beyond `saved` (a state vector the server has acknowledged).
 * Whole blocks, not only the new characters: a fragment of a sentence helps nobody who wants it back.
 */
export function unsavedBlocks(doc: Y.Doc, saved: Clocks): string[] {
  return textsOf(doc.getXmlFragment(TEXT_ROOT))
    .filter((text) => hasItemBeyond(text, saved))
    .map(plainText)
    .filter((block) => block.trim() !== '');
}

export function clocksOf(doc: Y.Doc): Clocks {
  return Y.decodeStateVector(Y.encodeStateVector(doc));
}

/** As JSON, for the local copy. */
export function encodeClocks(clocks: Clocks): string {
  return JSON.stringify([...clocks]);
}

/** Nothing is known to be saved where nothing is remembered. */
export function decodeClocks(stored: unknown): Clocks {
  return new Map(typeof stored === 'string' ? (JSON.parse(stored) as [number, number][]) : []);
}

function textsOf(parent: Y.XmlFragment): Y.XmlText[] {
  return parent
    .toArray()
    .flatMap((child) =>
      child instanceof Y.XmlText ? [child] : child instanceof Y.XmlElement ? textsOf(child) : [],
    );
}

function hasItemBeyond(text: Y.XmlText, saved: Clocks): boolean {
  for (let item = text._first; item !== null; item = item.right) {
    const { client, clock } = item.id;
    if (!item.deleted && item.countable && clock + item.length > (saved.get(client) ?? 0)) return true;
  }
  return false;
}

function plainText(text: Y.XmlText): string {
  const delta = text.toDelta() as { insert: unknown }[];
  return delta.map(({ insert }) => (typeof insert === 'string' ? insert : '')).join('');
}
