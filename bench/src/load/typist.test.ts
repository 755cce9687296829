import { expect, test } from 'vitest';
import * as Y from 'yjs';
import { readRanges } from './ranges.ts';
import { TEXT, Typist } from './typist.ts';

function recorded() {
  const inserted: number[][] = [];
  const deleted: number[][] = [];
  const reader = {
    inserted: (...range: number[]) => void inserted.push(range),
    deleted: (...range: number[]) => void deleted.push(range),
  };
  return { inserted, deleted, reader };
}

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

test('P12.1 every character of merged updates is found, erased ones too', () => {
  const one = new Typist(1);
  const two = new Typist(2);
  const updates = [one.insert('a'), two.insert('x'), one.insert('b'), one.erase() ?? new Uint8Array()];
  const { inserted, deleted, reader } = recorded();
  readRanges(Y.mergeUpdates(updates), reader);
  const characters = (client: number) =>
    inserted.filter(([by]) => by === client).reduce((sum, [, , length = 0]) => sum + length, 0);
  expect([characters(1), characters(2)]).toEqual([2, 1]);
  expect(deleted).toEqual([[1, 1, 1]]);
});

test('P12.1 content that typing does not produce is found by the slower way', () => {
  const doc = new Y.Doc();
  doc.clientID = 3;
  doc.getMap('map').set('key', { any: 'value' });
  doc.getArray('array').insert(0, [new Y.Map()]);
  const { inserted, reader } = recorded();
  readRanges(Y.encodeStateAsUpdate(doc), reader);
  expect(inserted).toEqual([
    [3, 0, 1],
    [3, 1, 1],
  ]);
});
