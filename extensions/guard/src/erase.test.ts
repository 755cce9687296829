import { describe, expect, test } from 'vitest';
import * as Y from 'yjs';
import { eraseUpdate } from './erase.ts';
import { fingerprint } from './testing/fingerprint.ts';

/** Where it was shown, and the updates as they came. */
function shown() {
  const doc = new Y.Doc();
  const updates: Uint8Array[] = [];
  doc.on('update', (update: Uint8Array, origin: unknown) => {
    if (origin !== 'erased') updates.push(update);
  });
  const as = (client: number, change: () => void): Uint8Array => {
    doc.clientID = client;
    doc.transact(change);
    return updates.at(-1)!;
  };
  return { doc, updates, as };
}

/** Replays the log, in which something else stands for one update. */
function elsewhere(updates: readonly Uint8Array[], erased: Uint8Array, instead: Uint8Array): Y.Doc {
  const doc = new Y.Doc();
  for (const update of updates) Y.applyUpdate(doc, update === erased ? instead : update);
  return doc;
}

const ANNA = 1;
const BEN = 2;

function expectErased(here: ReturnType<typeof shown>, annas: Uint8Array): Y.Doc {
  const instead = eraseUpdate(here.doc, annas);
  Y.applyUpdate(here.doc, instead, 'erased');
  const there = elsewhere(here.updates, annas, instead);
  expect(fingerprint(there)).toBe(fingerprint(here.doc));
  return there;
}

describe('P4.1 what is taken back takes nothing of others along', () => {
  test('P4.1 words that others have written next to it, into it and after it', () => {
    const here = shown();
    const text = here.doc.getText('body');
    here.as(BEN, () => text.insert(0, 'ben '));
    const annas = here.as(ANNA, () => text.insert(4, 'anna'));
    here.as(BEN, () => text.insert(6, '-'));
    here.as(BEN, () => text.insert(9, ' again'));
    const there = expectErased(here, annas);
    expect(there.getText('body').toJSON()).toBe('ben - again');
  });

  test('P4.1 what others have written into a type of it goes with that', () => {
    const here = shown();
    const list = here.doc.getArray<Y.Text>('list');
    const annas = here.as(ANNA, () => list.push([new Y.Text('anna')]));
    here.as(BEN, () => list.get(0).insert(4, ' and ben'));
    here.as(BEN, () => list.push([new Y.Text('ben')]));
    const there = expectErased(here, annas);
    expect(there.getArray('list').toJSON()).toEqual(['ben']);
  });

  test('P4.1 a new entry of a map is nobody’s value', () => {
    const here = shown();
    const map = here.doc.getMap('map');
    const annas = here.as(ANNA, () => map.set('a', 'anna'));
    here.as(BEN, () => map.set('b', 'ben'));
    const there = expectErased(here, annas);
    expect(there.getMap('map').toJSON()).toEqual({ b: 'ben' });
  });

  test('P4.1 several in a row, and formatted', () => {
    const here = shown();
    const text = here.doc.getText('body');
    const first = here.as(ANNA, () => text.insert(0, 'an', { bold: true }));
    const second = here.as(ANNA, () => text.insert(2, 'na'));
    here.as(BEN, () => text.insert(4, 'ben'));
    const instead = new Map([first, second].map((update) => [update, eraseUpdate(here.doc, update)]));
    for (const update of instead.values()) Y.applyUpdate(here.doc, update, 'erased');
    const there = new Y.Doc();
    for (const update of here.updates) Y.applyUpdate(there, instead.get(update) ?? update);
    expect(fingerprint(there)).toBe(fingerprint(here.doc));
    expect(there.getText('body').toJSON()).toBe('ben');
  });
});
