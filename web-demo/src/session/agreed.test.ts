import { describe, expect, test } from 'vitest';
import * as Y from 'yjs';
import { TEXT_ROOT } from './access.ts';
import { agreedClocks } from './agreed.ts';
import { clocksOf, unsavedBlocks } from './unsaved.ts';

const AUTHOR = 7;

function copyOf(doc: Y.Doc, client: number): Y.Doc {
  const copy = new Y.Doc();
  Y.applyUpdate(copy, Y.encodeStateAsUpdate(doc));
  // Not before: Yjs takes another id as soon as it hears of edits under its own.
  copy.clientID = client;
  return copy;
}

function write(doc: Y.Doc, text: string): Y.XmlText {
  const element = new Y.XmlElement('paragraph');
  const content = new Y.XmlText();
  content.insert(0, text);
  element.insert(0, [content]);
  doc.getXmlFragment(TEXT_ROOT).push([element]);
  return content;
}

/** Two copies that say something else under one client, as after somebody brought other content for an author. */
function dispute(): { mine: Y.Doc; theirs: Y.Doc; brought: Y.XmlText } {
  const base = new Y.Doc();
  base.clientID = AUTHOR;
  write(base, 'Everybody has this.');
  const mine = copyOf(base, AUTHOR);
  write(mine, 'What the author wrote.');
  const theirs = copyOf(base, AUTHOR);
  const brought = write(theirs, 'Something else altogether, and longer.');
  return { mine, theirs, brought };
}

describe('P1.19 text at clocks that the server fills with something else is handed back', () => {
  test('P1.19 and nothing that is the same on both sides', () => {
    const { mine, theirs } = dispute();
    expect(unsavedBlocks(mine, clocksOf(theirs))).toEqual([]);
    expect(unsavedBlocks(mine, agreedClocks({ mine, theirs }))).toEqual(['What the author wrote.']);
  });

  test('P1.19 also when what was brought has been deleted since', () => {
    const { mine, theirs, brought } = dispute();
    brought.delete(0, brought.length);
    expect(unsavedBlocks(mine, agreedClocks({ mine, theirs, disputed: AUTHOR }))).toEqual([
      'What the author wrote.',
    ]);
  });

  test('P1.19 what others deleted meanwhile is not among it', () => {
    const mine = new Y.Doc();
    const text = write(mine, 'Stays. Goes. Stays too.');
    write(mine, 'Another.');
    text.insert(0, 'First: ');
    const theirs = copyOf(mine, AUTHOR);
    const element = theirs.getXmlFragment(TEXT_ROOT).get(0) as Y.XmlElement;
    (element.get(0) as Y.XmlText).delete(14, 6);
    expect(unsavedBlocks(mine, agreedClocks({ mine, theirs }))).toEqual([]);
  });

  test('P1.19 however the two copies cut the same text into pieces', () => {
    const mine = new Y.Doc();
    const text = write(mine, 'abcdef');
    const theirs = copyOf(mine, AUTHOR);
    const other = (theirs.getXmlFragment(TEXT_ROOT).get(0) as Y.XmlElement).get(0) as Y.XmlText;
    other.insert(2, 'x');
    text.insert(4, 'y');
    text.insert(1, 'z');
    Y.applyUpdate(theirs, Y.encodeStateAsUpdate(mine));
    expect(unsavedBlocks(mine, agreedClocks({ mine, theirs }))).toEqual([]);
  });
});
