import { describe, expect, test } from 'vitest';
import * as Y from 'yjs';
import { TEXT_ROOT } from './access.ts';
import { clocksOf, decodeClocks, encodeClocks, unsavedBlocks } from './unsaved.ts';

function paragraph(doc: Y.Doc, text: string): Y.XmlText {
  const element = new Y.XmlElement('paragraph');
  const content = new Y.XmlText();
  content.insert(0, text);
  element.insert(0, [content]);
  doc.getXmlFragment(TEXT_ROOT).push([element]);
  return content;
}

function copyOf(doc: Y.Doc): Y.Doc {
  const copy = new Y.Doc();
  Y.applyUpdate(copy, Y.encodeStateAsUpdate(doc));
  return copy;
}

describe('P1.19 text that could not be saved is handed back', () => {
  test('P1.19 whole blocks that hold something new, and only those', () => {
    const mine = new Y.Doc();
    paragraph(mine, 'Everybody has this.');
    const changed = paragraph(mine, 'The weavers came.');
    const server = copyOf(mine);
    changed.insert(12, 'never ');
    paragraph(mine, 'A new one.');
    expect(unsavedBlocks(mine, clocksOf(server))).toEqual(['The weavers never came.', 'A new one.']);
  });

  test('P1.19 what others wrote meanwhile is not among it', () => {
    const mine = new Y.Doc();
    paragraph(mine, 'Shared.');
    const server = copyOf(mine);
    paragraph(server, 'From somebody else.');
    Y.applyUpdate(mine, Y.encodeStateAsUpdate(server));
    expect(unsavedBlocks(mine, clocksOf(server))).toEqual([]);
  });

  test('P1.19 what was written and deleted again is not', () => {
    const mine = new Y.Doc();
    const text = paragraph(mine, 'Stays.');
    const server = copyOf(mine);
    text.insert(6, ' Goes.');
    text.delete(6, 6);
    expect(unsavedBlocks(mine, clocksOf(server))).toEqual([]);
  });

  test('P1.19 what was saved is remembered with the local copy', () => {
    const mine = new Y.Doc();
    paragraph(mine, 'Saved.');
    const remembered = decodeClocks(encodeClocks(clocksOf(mine)));
    expect(unsavedBlocks(mine, remembered)).toEqual([]);
    expect(unsavedBlocks(mine, decodeClocks(undefined))).toEqual(['Saved.']);
  });

  test('P1.19 also in nested blocks, without their marks', () => {
    const mine = new Y.Doc();
    const list = new Y.XmlElement('bulletList');
    const item = new Y.XmlElement('listItem');
    const inner = new Y.XmlElement('paragraph');
    const text = new Y.XmlText();
    text.insert(0, 'Indigo ', {});
    text.insert(7, 'and weld', { bold: true });
    inner.insert(0, [text]);
    item.insert(0, [inner]);
    list.insert(0, [item]);
    mine.getXmlFragment(TEXT_ROOT).push([list]);
    expect(unsavedBlocks(mine, new Map())).toEqual(['Indigo and weld']);
  });
});
