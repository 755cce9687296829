import { expect, test } from 'vitest';
import * as Y from 'yjs';
import { RangeReader, readRanges, SharedRanges } from './ranges.ts';
import { Typist } from './typist.ts';

test('P12.1 every character of merged updates is found, erased ones too', () => {
  const one = new Typist(1);
  const two = new Typist(2);
  const updates = [one.insert('a'), two.insert('x'), one.insert('b'), one.erase() ?? new Uint8Array()];
  const { inserted, deleted } = readRanges(Y.mergeUpdates(updates));
  const characters = (by: number) =>
    inserted.filter(({ client }) => client === by).reduce((sum, { length }) => sum + length, 0);
  expect([characters(1), characters(2)]).toEqual([2, 1]);
  expect(deleted).toEqual([{ client: 1, clock: 1, length: 1 }]);
});

test('P12.1 content that typing does not produce is found by the slower way', () => {
  const doc = new Y.Doc();
  doc.clientID = 3;
  doc.getMap('map').set('key', { any: 'value' });
  doc.getArray('array').insert(0, [new Y.Map()]);
  const { inserted } = readRanges(Y.encodeStateAsUpdate(doc));
  expect(inserted).toEqual([
    { client: 3, clock: 0, length: 1 },
    { client: 3, clock: 1, length: 1 },
  ]);
});

test('P12.1 what a receiver is sent is found, whatever others are sent', () => {
  const [one, two] = [new Typist(1), new Typist(2)];
  const updates = Array.from({ length: 12 }, (_, index) => (index % 2 ? two : one).insert('a'));
  const sent = {
    everything: updates,
    'all but their own': updates.filter((_, index) => index % 2 === 0),
    'only the newest': updates.slice(-2),
    'another order': updates.toReversed(),
    'the same twice': updates.flatMap((update) => [update, update]),
    'one at a time': updates.map((update) => Uint8Array.from(update)),
  };
  const shared = new SharedRanges();
  for (const received of Object.values(sent)) {
    const reader = new RangeReader(shared);
    expect(received.map((update) => reader.read(update))).toEqual(received.map(readRanges));
  }
  const early = new RangeReader(new SharedRanges());
  expect(updates.map((update) => early.read(update))).toEqual(updates.map(readRanges));
});

test('P12.1 what everybody in a document is sent is read once', () => {
  const typist = new Typist(1);
  const shared = new SharedRanges();
  const readers = [new RangeReader(shared), new RangeReader(shared), new RangeReader(shared)];
  const [first, second, third] = ['a', 'b', 'c'].map((character) => typist.insert(character));
  const read = readers.map((reader, index) => {
    // One of them is not sent the second.
    const sent = index === 1 ? [first, third] : [first, second, third];
    return sent.map((update = new Uint8Array()) => reader.read(update)).at(-1);
  });
  expect(read[0]).toBe(read[1]);
  expect(read[0]).toBe(read[2]);
});
