import { describe, expect, test } from 'vitest';
import * as Y from 'yjs';
import { eraseUpdates } from './erase.ts';
import { fingerprint } from './testing/fingerprint.ts';
import { Random } from './testing/random.ts';

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

/** Replays the log, in which something else stands for some updates. */
function elsewhere(updates: readonly Uint8Array[], instead: ReadonlyMap<Uint8Array, Uint8Array>): Y.Doc {
  const doc = new Y.Doc();
  for (const update of updates) Y.applyUpdate(doc, instead.get(update) ?? update);
  return doc;
}

const ANNA = 1;
const BEN = 2;
const CARA = 3;

/** Takes them back where they were shown. @returns what a newcomer gets */
function takeBack({ doc, updates }: ReturnType<typeof shown>, ...annas: Uint8Array[]) {
  const erased = eraseUpdates(doc, annas);
  for (const update of erased.updates) Y.applyUpdate(doc, update, 'erased');
  const instead = new Map(annas.map((update, index) => [update, erased.updates[index]!]));
  return { there: elsewhere(updates, instead), restores: erased.restores };
}

/** Nobody has to load anew, and all have the same. */
function expectErased(here: ReturnType<typeof shown>, ...annas: Uint8Array[]): Y.Doc {
  const { there, restores } = takeBack(here, ...annas);
  expect(restores).toBe(false);
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
    const there = expectErased(here, first, second);
    expect(there.getText('body').toJSON()).toBe('ben');
  });

  test('P4.1 a value that somebody else has put in the place of a new entry', () => {
    const here = shown();
    const map = here.doc.getMap('map');
    const annas = here.as(ANNA, () => map.set('a', 'anna'));
    here.as(BEN, () => map.set('a', 'ben'));
    const there = expectErased(here, annas);
    expect(there.getMap('map').toJSON()).toEqual({ a: 'ben' });
  });

  test.each([
    { first: ANNA, second: BEN },
    { first: BEN, second: ANNA },
  ])('P4.1 two new entries of one key at the same time, Yjs client $first first', ({ first, second }) => {
    const here = shown();
    const elsewhereMade = new Y.Doc();
    elsewhereMade.clientID = second;
    elsewhereMade.getMap('map').set('a', 'second');
    const firsts = here.as(first, () => here.doc.getMap('map').set('a', 'first'));
    const seconds = Y.encodeStateAsUpdate(elsewhereMade);
    here.updates.push(seconds);
    Y.applyUpdate(here.doc, seconds, 'erased');
    const { there, restores } = takeBack(here, first === ANNA ? firsts : seconds);
    if (restores) expect(there.getMap('map').size).toBe(1);
    else expect(fingerprint(there)).toBe(fingerprint(here.doc));
  });

  test('P4.1 a value that was replaced comes back, for those who load anew', () => {
    const here = shown();
    const map = here.doc.getMap('map');
    here.as(BEN, () => map.set('a', 'ben'));
    const first = here.as(ANNA, () => map.set('a', 'anna'));
    const second = here.as(ANNA, () => map.set('a', 'anna again'));
    const { there, restores } = takeBack(here, first, second);
    expect(restores).toBe(true);
    expect(there.getMap('map').toJSON()).toEqual({ a: 'ben' });
  });

  test('P4.1 whose value stands on one that is taken back keeps it', () => {
    const here = shown();
    const map = here.doc.getMap('map');
    here.as(BEN, () => map.set('a', 'ben'));
    const annas = here.as(ANNA, () => map.set('a', 'anna'));
    here.as(BEN, () => map.set('a', 'ben again'));
    const there = expectErased(here, annas);
    expect(there.getMap('map').toJSON()).toEqual({ a: 'ben again' });
  });

  test('P4.1 whatever people do to the entries of a map at the same time, a thousand times', () => {
    for (let seed = 1; seed <= 1_000; seed++) {
      const { here, annas } = someHistory(new Random(seed));
      const map = here.doc.getMap('map');
      const authors = new Map([...map.keys()].map((key) => [key, authorOf(map, key)]));
      const { there, restores } = takeBack(here, ...annas);
      if (!restores) expect(fingerprint(there), `seed ${seed}`).toBe(fingerprint(here.doc));
      for (const [key, author] of authors) {
        const found = authorOf(there.getMap('map'), key);
        if (author === ANNA) expect(found, `seed ${seed}`).not.toBe(ANNA);
        else expect(found, `seed ${seed}`).toBe(author);
      }
    }
  });
});

/** Three people set and delete entries of one map, and see each other's only now and then. */
function someHistory(random: Random) {
  const here = shown();
  const annas: Uint8Array[] = [];
  const people = [ANNA, BEN, CARA].map((client) => {
    const doc = new Y.Doc();
    doc.clientID = client;
    doc.on('update', (update: Uint8Array, origin: unknown) => {
      if (origin === 'seen') return;
      Y.applyUpdate(here.doc, update, 'erased');
      here.updates.push(update);
      if (client === ANNA) annas.push(update);
    });
    return doc;
  });
  for (let turn = 0; turn < 12; turn++) {
    const doc = random.pick(people);
    if (random.chance(0.6)) Y.applyUpdate(doc, Y.encodeStateAsUpdate(here.doc), 'seen');
    const [map, key] = [doc.getMap('map'), random.pick(['a', 'b'])];
    if (doc.clientID !== ANNA && random.chance(0.2)) map.delete(key);
    else map.set(key, random.chance(0.3) ? new Y.Map([['inside', turn]]) : turn);
  }
  return { here, annas };
}

/** Whose the value of a key is. */
function authorOf(map: Y.Map<unknown>, key: string): number | undefined {
  const item = map._map.get(key);
  return item && !item.deleted ? item.id.client : undefined;
}
