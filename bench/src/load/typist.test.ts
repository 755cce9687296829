import { expect, test } from 'vitest';
import * as Y from 'yjs';
import { TEXT, Typist } from './typist.ts';

test('P12.1 a typist makes the very bytes of a Y.Doc that types the same', () => {
  const doc = new Y.Doc();
  doc.clientID = 77;
  const made: Uint8Array[] = [];
  doc.on('update', (update: Uint8Array) => made.push(update));
  const text = doc.getText(TEXT);
  text.insert(0, 'a');
  text.insert(1, 'b');
  text.delete(1, 1);

  const typist = new Typist(77);
  const typed = [typist.insert('a'), typist.insert('b'), typist.erase()];

  expect(typed).toEqual(made);
});

test('P12.1 a typist writes between the neighbours of its place', () => {
  const doc = new Y.Doc();
  doc.clientID = 5;
  doc.getText(TEXT).insert(0, 'start end');
  const typist = new Typist(9, { left: { client: 5, clock: 5 }, right: { client: 5, clock: 6 } });
  for (const character of 'of the ') Y.applyUpdate(doc, typist.insert(character));
  const erased = typist.erase();
  if (erased) Y.applyUpdate(doc, erased);
  Y.applyUpdate(doc, typist.insert('!'));
  expect(doc.getText(TEXT).toJSON()).toBe('start of the!end');
});

test('P12.1 a typist with nothing left has nothing to erase', () => {
  const typist = new Typist(1);
  typist.insert('a');
  expect(typist.erase()).toBeDefined();
  expect(typist.erase()).toBeUndefined();
});
