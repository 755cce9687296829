import * as Y from 'yjs';
import type { Random } from './random.ts';

type Edit = (document: Y.Doc, random: Random) => void;

const body = (document: Y.Doc) => document.getText('body');

/** One of each kind of thing that Yjs can do to a document, on the roots on which others work too. */
const EDITS: readonly Edit[] = [
  (document, random) => {
    const text = body(document);
    text.insert(random.integer(text.length + 1), 'x'.repeat(1 + random.integer(30)));
  },
  (document, random) => {
    const text = body(document);
    text.delete(0, Math.min(text.length, random.integer(10)));
  },
  (document, random) => {
    const text = body(document);
    text.format(0, Math.min(3, text.length), { bold: random.chance(0.5) ? true : null });
  },
  (document, random) => {
    const value = random.pick([1, 'word', new Y.Text('nested'), new Y.Map(), random.bytes(10)]);
    document.getMap<unknown>('map').set(random.pick(['k', 'l']), value);
  },
  (document, random) => document.getMap('map').delete(random.pick(['k', 'l'])),
  (document, random) => document.getArray('comments').push([random.integer(100)]),
  (document) => {
    const paragraph = new Y.XmlElement('p');
    document.getXmlFragment('default').push([paragraph]);
    paragraph.insert(0, [new Y.XmlText('woven')]);
  },
  (document) => {
    const fragment = document.getXmlFragment('default');
    fragment.delete(0, Math.min(1, fragment.length));
  },
];

/** Changes the document somewhere. @returns what changed; nothing, when there was nothing to change there */
export function randomEdit(document: Y.Doc, random: Random): Uint8Array | undefined {
  let update: Uint8Array | undefined;
  const note = (bytes: Uint8Array) => (update = bytes);
  document.once('update', note);
  document.transact(() => random.pick(EDITS)(document, random));
  document.off('update', note);
  return update;
}
