import { getSchema } from '@tiptap/core';
import type { Node } from '@tiptap/pm/model';
import { EditorState } from '@tiptap/pm/state';
import StarterKit from '@tiptap/starter-kit';
import { initProseMirrorDoc, updateYFragment, type ProsemirrorBinding } from '@tiptap/y-tiptap';
import { expect, test } from 'vitest';
import * as Y from 'yjs';
import { foreignContent, restoreBoxes, takeEverything } from './foreign-content.ts';

type Part = Y.XmlElement | Y.XmlText;

function element(name: string, attributes: object, ...parts: Part[]): Y.XmlElement {
  const made = new Y.XmlElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value as string);
  made.insert(0, parts);
  return made;
}

const words = (text: string, format: object = {}): Y.XmlText => {
  const made = new Y.XmlText();
  made.insert(0, text, format);
  return made;
};

/** The document as the editor has it. */
function shown({ writable = true }, ...parts: Part[]) {
  const fragment = new Y.Doc().getXmlFragment('default');
  fragment.insert(0, parts);
  const before = fragment.toJSON();
  const schema = getSchema([StarterKit.configure({ undoRedo: false }), ...foreignContent(fragment)]);
  takeEverything(schema, { fragment, isWritable: () => writable });
  const { doc, mapping } = initProseMirrorDoc(fragment, schema);
  return { fragment, before, schema, doc, mapping };
}

test('P9.32 what another program put between the paragraphs and among the words is a box, and stays', () => {
  const { fragment, before, doc } = shown(
    {},
    element('image', { src: 'x' }),
    element('paragraph', {}, words('for '), element('mention', { id: 'ada' }), words(' and all')),
    element('callout', {}, element('paragraph', {}, words('inside'))),
  );
  expect(fragment.toJSON()).toBe(before);
  expect(doc.children.map(({ type }) => type.name)).toEqual(['foreignBlock', 'paragraph', 'foreignBlock']);
  expect(doc.child(1).children.map(({ type }) => type.name)).toEqual(['text', 'foreignInline', 'text']);
  doc.check();
});

test('P9.32 a format of another program stays on its words when they are edited here', () => {
  const format = { highlight: { color: 'yellow' }, glow: {} };
  const { fragment, doc, schema, mapping } = shown({}, element('paragraph', {}, words('marked', format)));
  expect(doc.textContent).toBe('marked');
  const edited = doc.copy(doc.content.addToEnd(schema.node('paragraph', null, [schema.text('below')])));
  const [paragraph] = doc.children;
  const [text] = paragraph?.children ?? [];
  if (!paragraph || !text) throw new Error('no text');
  const longer = paragraph.copy(paragraph.content.addToEnd(schema.text(' here', text.marks)));
  updateYFragment(fragment.doc as Y.Doc, fragment, edited.copy(edited.content.replaceChild(0, longer)), {
    mapping: mapping as Map<Y.AbstractType<unknown>, Node>,
    isOMark: new Map(),
  });
  const [first] = fragment.toArray() as Y.XmlElement[];
  expect((first?.get(0) as Y.XmlText).toDelta()).toEqual([{ insert: 'marked here', attributes: format }]);
});

test('P9.32 a link whose address is no text is none, and nothing breaks', () => {
  const { doc } = shown(
    {},
    element('paragraph', {}, words('odd', { link: { href: { a: 1 } } }), words('no', { link: 'x' })),
  );
  expect(doc.textContent).toBe('oddno');
  expect(doc.rangeHasMark(0, doc.content.size, doc.type.schema.marks['link'] as never)).toBe(false);
});

test('P9.32 what is not whole is mended by whoever may write, and left alone by a reader', () => {
  const writer = shown({ writable: true }, element('bulletList', {}), element('paragraph', {}));
  expect(writer.fragment.length).toBe(1);
  const reader = shown({ writable: false }, element('bulletList', {}), element('paragraph', {}));
  expect(reader.fragment.toJSON()).toBe(reader.before);
  expect(reader.doc.childCount).toBe(2);
});

test('P9.32 whatever holds something foreign in a place for something else is kept with it', () => {
  const { fragment, before, doc } = shown({}, element('bulletList', {}, element('video', {})));
  expect(fragment.toJSON()).toBe(before);
  expect(doc.firstChild?.type.name).toBe('foreignBlock');
});

test('P9.32 what is embedded in a text does not break it', () => {
  const withPicture = new Y.XmlText();
  withPicture.insert(0, 'ab');
  withPicture.insertEmbed(1, { image: 'x' });
  const { doc } = shown({}, element('paragraph', {}, withPicture));
  expect(doc.firstChild?.children.map(({ type }) => type.name)).toEqual(['text', 'foreignInline', 'text']);
});

test('P9.32 an element that is named like the document or its words is a box', () => {
  const { fragment, before, doc } = shown({}, element('doc', {}), element('text', {}));
  expect(fragment.toJSON()).toBe(before);
  expect(doc.children.map(({ type }) => type.name)).toEqual(['foreignBlock', 'foreignBlock']);
});

/** Everything is made bold: the places before and behind a box change at once. */
function makeAllBold({ fragment, doc, schema, mapping }: ReturnType<typeof shown>): void {
  const { tr } = EditorState.create({ doc });
  const bold = tr.addMark(0, doc.content.size, schema.mark('bold')).doc;
  const known = mapping as ProsemirrorBinding['mapping'];
  const { doc: shared } = fragment;
  shared?.transact(() => {
    updateYFragment(shared, fragment, bold, { mapping: known, isOMark: new Map() });
    restoreBoxes(known);
  });
}

test('P9.32 a box stays what it is when everything around it is edited at once', () => {
  const opened = shown(
    {},
    element('paragraph', {}, words('one')),
    element(
      'callout',
      { tone: 'warm', deep: { is: [1] } },
      element('paragraph', {}, words('inside '), words('glowing', { glow: { by: 5 } })),
      element('image', { src: 'x' }),
    ),
    element('paragraph', {}, words('for '), element('mention', { id: 'ada' }), words(' and all')),
  );
  const { fragment } = opened;
  const kept = [fragment.get(1), (fragment.get(2) as Y.XmlElement).get(1)].map((part) =>
    String(part.toJSON()),
  );
  makeAllBold(opened);
  const after = fragment.toJSON();
  expect(after).toContain('<bold>one</bold>');
  expect(after).toContain('<bold> and all</bold>');
  for (const part of kept) expect(after).toContain(part);
  expect((fragment.get(1) as Y.XmlElement).getAttribute('deep')).toEqual({ is: [1] });
  // What was made anew is known: the next edit leaves it alone.
  makeAllBold({ ...opened });
  expect(fragment.toJSON()).toBe(after);
});
