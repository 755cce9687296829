import { expect, test } from 'vitest';
import * as Y from 'yjs';
import { placesIn, writeDocument } from './document.ts';
import { TEXT, Typist } from './load/typist.ts';

const PLAN = { operations: 5_000, seed: 3 };

test('P12.1 the same plan writes the same bytes', () => {
  expect(writeDocument(PLAN).state).toEqual(writeDocument(PLAN).state);
});

test('P12.1 the pieces of a document make the document', () => {
  const { state, pieces, operations, deletions } = writeDocument({ ...PLAN, pastedBytes: 50_000 });
  const doc = new Y.Doc();
  for (const piece of pieces) Y.applyUpdate(doc, piece);
  expect(doc.store.pendingStructs).toBeNull();
  expect(Y.encodeStateAsUpdate(doc)).toEqual(state);
  expect(pieces.length).toBeGreaterThan(8);
  expect(operations).toBeGreaterThanOrEqual(50_000 + PLAN.operations);
  expect(deletions).toBeGreaterThan(500);
});

test('P12.1 people can write at the places found in a document', () => {
  const { state } = writeDocument(PLAN);
  const doc = new Y.Doc();
  Y.applyUpdate(doc, state);
  const before = doc.getText(TEXT).length;
  const places = placesIn(state, 3);
  places.forEach((place, index) => Y.applyUpdate(doc, new Typist(index + 1, place).insert('#')));
  const text = doc.getText(TEXT).toJSON();
  const found = [...text.matchAll(/#/g)].map(({ index }) => index / text.length);
  expect(text.length).toBe(before + 3);
  expect(found).toHaveLength(3);
  // Spread over the text, not heaped at an end.
  expect((found[2] ?? 0) - (found[0] ?? 0)).toBeGreaterThan(0.3);
});
