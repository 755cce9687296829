import { getSchema } from '@tiptap/core';
import { initProseMirrorDoc } from '@tiptap/y-tiptap';
import { describe, expect, test } from 'vitest';
import * as Y from 'yjs';
import { contentExtensions } from './extensions.ts';
import { ReadableCopy } from './readable-copy.ts';
import { textShape } from './showable.ts';

const schema = getSchema(contentExtensions(new Y.Doc()));
const shape = textShape(schema);

function element(name: string, ...parts: (Y.XmlElement | Y.XmlText)[]): Y.XmlElement {
  const made = new Y.XmlElement(name);
  made.insert(0, parts);
  return made;
}

const paragraph = (words: string): Y.XmlElement => element('paragraph', new Y.XmlText(words));

function textOf(...parts: Y.XmlElement[]): { doc: Y.Doc; text: Y.XmlFragment } {
  const doc = new Y.Doc();
  const text = doc.getXmlFragment('default');
  text.insert(0, parts);
  return { doc, text };
}

type Anything = (Y.AbstractType<unknown> | string | number | object)[];

/** Yjs itself lets any program do so: types have no class on the wire. */
function putAnything(parent: Y.XmlFragment, index: number, ...content: Anything): void {
  Y.Array.prototype.insert.call(parent, index, content);
}

const ODDITIES: Record<string, () => Anything> = {
  'a text without a paragraph': () => [new Y.XmlText('loose')],
  'a plain text': () => [new Y.Text('loose')],
  'a map': () => [new Y.Map()],
  'an array': () => [new Y.Array()],
  'a fragment': () => [new Y.XmlFragment()],
  'a hook': () => [new Y.XmlHook('hook')],
  values: () => [1, 'two', { three: 3 }],
  'a row without a table': () => [new Y.XmlElement('tableRow')],
  'an item without a list': () => [new Y.XmlElement('listItem')],
  'a line break': () => [new Y.XmlElement('hardBreak')],
  'what others have among words': () => [
    element('paragraph', new Y.XmlElement('mention')),
    new Y.XmlElement('mention'),
  ],
};

describe.each(Object.entries(ODDITIES))('P9.33 %s at the top of the text', (_name, oddity) => {
  test('is found, left out of the copy that is shown, and stays in the document', () => {
    const { doc, text } = textOf(paragraph('first'), paragraph('last'));
    expect(shape.isShowable(doc)).toBe(true);
    putAnything(text, 1, ...oddity());
    expect(shape.isShowable(doc)).toBe(false);
    const before = Y.encodeStateAsUpdate(doc);

    const copy = new ReadableCopy(doc, shape);
    expect(shape.isShowable(copy.doc)).toBe(true);
    const shown = initProseMirrorDoc(copy.doc.getXmlFragment('default'), schema).doc;
    expect(shown.firstChild?.textContent).toBe('first');
    expect(shown.lastChild?.textContent).toBe('last');
    expect(() => shown.check()).not.toThrow();
    expect(Y.encodeStateAsUpdate(doc)).toEqual(before);
  });
});

test('P9.33 what is in the way inside of a paragraph leaves the paragraph', () => {
  const { doc, text } = textOf(paragraph('first'));
  putAnything(text.get(0) as Y.XmlElement, 1, new Y.Map(), 5);
  expect(shape.isShowable(doc)).toBe(false);
  shape.clear(doc);
  expect(text.toJSON()).toBe('<paragraph>first</paragraph>');
});

test('P9.33 the whole text of a program that knows no paragraphs is in the way, and taken away at once', () => {
  const doc = new Y.Doc();
  doc.getText('default').insert(0, 'x'.repeat(100_000), { bold: true });
  const mine = new Y.Doc();
  mine.getXmlFragment('default');
  Y.applyUpdate(mine, Y.encodeStateAsUpdate(doc));
  expect(shape.isShowable(mine)).toBe(false);
  shape.clear(mine);
  expect(mine.getXmlFragment('default').length).toBe(0);
  expect(shape.isShowable(mine)).toBe(true);
});

test('P9.33 the copy follows the document, and is whole again when nothing is in the way any more', () => {
  const { doc, text } = textOf(paragraph('first'));
  putAnything(text, 0, 1, 2);
  const copy = new ReadableCopy(doc, shape);
  const end = copy.follow();
  const seen: boolean[] = [];
  copy.doc.getXmlFragment('default').observeDeep(() => seen.push(shape.isShowable(copy.doc)));
  doc.transact(() => {
    putAnything(text, 1, new Y.Map());
    (text.get(3) as Y.XmlElement).insert(1, [new Y.XmlText(' and more')]);
  });
  expect(copy.doc.getXmlFragment('default').toJSON()).toBe('<paragraph>first and more</paragraph>');
  shape.clear(doc);
  expect(text.toJSON()).toBe('<paragraph>first and more</paragraph>');
  expect(seen).toEqual(seen.map(() => true));
  end();
  text.insert(0, [paragraph('new')]);
  expect(copy.doc.getXmlFragment('default').length).toBe(1);
});
