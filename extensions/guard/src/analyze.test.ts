import { describe, expect, test } from 'vitest';
import * as Y from 'yjs';
import { analyzeUpdate } from './analyze.ts';
import { Ref } from './content.ts';
import { fingerprint } from './testing/fingerprint.ts';
import { forgeUpdate, type ForgedStruct, run, text } from './testing/forge.ts';
import { emptyUpdate, isEmptyUpdate } from './write.ts';

const ALICE = 1;
const BOB = 2;

function replica(clientID: number, from?: Y.Doc): Y.Doc {
  const doc = new Y.Doc();
  doc.clientID = clientID;
  if (from) Y.applyUpdate(doc, Y.encodeStateAsUpdate(from));
  return doc;
}

/** A document of Alice's with text, comments and a map, and Bob's replica of it. */
function shared(): { server: Y.Doc; bob: Y.Doc } {
  const server = replica(ALICE);
  server.getText('body').insert(0, 'hello');
  server.getArray('comments').insert(0, [new Y.Map([['text', 'first']])]);
  server.getMap('meta').set('title', 'draft');
  return { server, bob: replica(BOB, server) };
}

/** The update that an edit makes. */
function edit(doc: Y.Doc, change: () => void): Uint8Array {
  const before = Y.encodeStateVector(doc);
  let update: Uint8Array | undefined;
  doc.once('update', (bytes: Uint8Array) => (update = bytes));
  doc.transact(change);
  return update ?? Y.encodeStateAsUpdate(doc, before);
}

const character: ForgedStruct = { ref: Ref.String, parent: 'body', body: text('x') };

describe('P3.17 the authors of an update are the clocks that are new', () => {
  test('P3.17 an edit authors its own clocks', () => {
    const { server, bob } = shared();
    const update = edit(bob, () => bob.getText('body').insert(2, 'xyz'));
    expect(analyzeUpdate(server, update).authors).toEqual([{ client: BOB, clock: 0, length: 3 }]);
  });

  test("P3.17 an item at another's next clock is the other's", () => {
    const { server } = shared();
    const next = Y.getState(server.store, ALICE);
    const update = forgeUpdate([{ client: ALICE, clock: next, structs: [character] }]);
    expect(analyzeUpdate(server, update).authors).toEqual([{ client: ALICE, clock: next, length: 1 }]);
  });

  test("P3.17 a GC over another's next clocks is the other's, and changes no root", () => {
    const { server } = shared();
    const next = Y.getState(server.store, ALICE);
    const update = forgeUpdate([{ client: ALICE, clock: next, structs: [{ ref: Ref.GC, body: run(50) }] }]);
    const { authors, roots } = analyzeUpdate(server, update);
    expect(authors).toEqual([{ client: ALICE, clock: next, length: 50 }]);
    expect(roots.size).toBe(0);
  });

  test('P3.17 what is known has no author and is cut away', () => {
    const { server, bob } = shared();
    bob.getText('body').insert(0, 'ab');
    Y.applyUpdate(server, Y.encodeStateAsUpdate(bob));
    bob.getText('body').insert(2, 'cd');
    const analysis = analyzeUpdate(server, Y.encodeStateAsUpdate(bob));
    expect(analysis.authors).toEqual([{ client: BOB, clock: 2, length: 2 }]);
    expect(Y.decodeUpdate(analysis.update).structs).toHaveLength(1);
    Y.applyUpdate(server, analysis.update);
    expect(fingerprint(server)).toBe(fingerprint(bob));
  });
});

describe('P3.18 an update touches exactly the root types it says', () => {
  test('P3.18 below each root, what is inserted, deleted, and written as a key', () => {
    const { server, bob } = shared();
    const update = edit(bob, () => {
      (bob.getArray('comments').get(0) as Y.Map<string>).set('text', 'second');
      bob.getMap('meta').set('tags', 1);
      bob.getText('body').delete(1, 2);
    });
    const { roots, deletes, newRoots } = analyzeUpdate(server, update);
    expect(deletes).toBe(true);
    expect(newRoots).toEqual([]);
    expect(Object.fromEntries(roots)).toEqual({
      comments: { inserts: true, deletes: true, keys: new Set() },
      meta: { inserts: true, deletes: false, keys: new Set(['tags']) },
      body: { inserts: false, deletes: true, keys: new Set() },
    });
  });

  test('P3.18 replacing and deleting a key are deletions', () => {
    const { server, bob } = shared();
    const replace = edit(bob, () => bob.getMap('meta').set('title', 'final'));
    expect(analyzeUpdate(server, replace).roots.get('meta')).toEqual({
      inserts: true,
      deletes: true,
      keys: new Set(['title']),
    });
    const { server: other, bob: bobAgain } = shared();
    const remove = edit(bobAgain, () => bobAgain.getMap('meta').delete('title'));
    expect(analyzeUpdate(other, remove).roots.get('meta')).toEqual({
      inserts: false,
      deletes: true,
      keys: new Set(['title']),
    });
  });

  test('P3.18 a root type that is not there yet is new', () => {
    const { server, bob } = shared();
    const update = edit(bob, () => bob.getText('another').insert(0, 'x'));
    expect(analyzeUpdate(server, update).newRoots).toEqual(['another']);
    expect(server.share.has('another')).toBe(false);
  });

  test('P3.18 the explicit root of an item with a neighbour counts for nothing', () => {
    const { server } = shared();
    const origin = { client: ALICE, clock: 4 };
    const update = forgeUpdate([
      { client: BOB, clock: 0, structs: [{ ...character, parent: 'comments', origin }] },
    ]);
    expect([...analyzeUpdate(server, update).roots.keys()]).toEqual(['body']);
  });

  test('P3.18 a partly known struct stays in the root of its beginning', () => {
    const { server } = shared();
    const start = forgeUpdate([
      { client: BOB, clock: 0, structs: [{ ...character, parent: 'comments', body: text('ab') }] },
    ]);
    Y.applyUpdate(server, start);
    // The same clocks and two more, claimed to go on after Alice's text.
    const origin = { client: ALICE, clock: 4 };
    const update = forgeUpdate([
      { client: BOB, clock: 0, structs: [{ ...character, origin, body: text('abcd') }] },
    ]);
    const analysis = analyzeUpdate(server, update);
    expect([...analysis.roots.keys()]).toEqual(['comments']);
    Y.applyUpdate(server, analysis.update);
    expect(server.getText('body').toJSON()).toBe('hello');
  });

  test('P3.18 what hangs on something gone touches nothing and is written as garbage', () => {
    const { server, bob } = shared();
    const update = edit(bob, () => (bob.getArray('comments').get(0) as Y.Map<string>).set('late', 'x'));
    server.getArray('comments').delete(0, 1);
    const analysis = analyzeUpdate(server, update);
    expect(analysis.roots.size).toBe(0);
    expect(analysis.collapsed).toEqual([{ client: BOB, clock: 0, length: 1 }]);
    expect(Y.decodeUpdate(analysis.update).structs[0]).toBeInstanceOf(Y.GC);
  });
});

describe('P3.21 what an update refers to and the document does not have is missing', () => {
  test('P3.21 earlier edits of the same client', () => {
    const { server, bob } = shared();
    edit(bob, () => bob.getText('body').insert(0, 'ab'));
    const second = edit(bob, () => bob.getText('comments2').insert(0, 'c'));
    expect(analyzeUpdate(server, second).missing).toEqual([{ client: BOB, clock: 0, length: 2 }]);
  });

  test('P3.21 the neighbours of an item', () => {
    const { server, bob } = shared();
    edit(bob, () => bob.getText('body').insert(0, 'ab'));
    const carol = replica(3, bob);
    const update = edit(carol, () => carol.getText('body').insert(1, 'c'));
    expect(analyzeUpdate(server, update).missing).toContainEqual({ client: BOB, clock: 0, length: 1 });
  });

  test("P3.21 a delete range over another's future clocks", () => {
    const { server } = shared();
    const next = Y.getState(server.store, ALICE);
    const update = forgeUpdate([], [{ client: ALICE, ranges: [[next, 1_000]] }]);
    expect(analyzeUpdate(server, update).missing).toEqual([{ client: ALICE, clock: next, length: 1_000 }]);
  });

  test('P3.21 a Skip over unknown clocks', () => {
    const { server } = shared();
    const update = forgeUpdate([
      { client: BOB, clock: 0, structs: [{ ref: Ref.Skip, body: run(3) }, character] },
    ]);
    expect(analyzeUpdate(server, update).missing).toEqual([{ client: BOB, clock: 0, length: 3 }]);
  });
});

describe('P3.20 what is known already changes nothing', () => {
  test('P3.20 the whole document again', () => {
    const { server, bob } = shared();
    const { noop, update } = analyzeUpdate(server, Y.encodeStateAsUpdate(bob));
    expect(noop).toBe(true);
    expect(isEmptyUpdate(update)).toBe(true);
  });

  test('P3.20 an empty update', () => {
    expect(analyzeUpdate(new Y.Doc(), emptyUpdate).noop).toBe(true);
    expect(isEmptyUpdate(Y.encodeStateAsUpdate(new Y.Doc()))).toBe(true);
  });

  test('P3.20 of a delete set only what has an effect is left', () => {
    const { server, bob } = shared();
    bob.getText('body').delete(0, 1);
    Y.applyUpdate(server, Y.encodeStateAsUpdate(bob));
    bob.getText('body').delete(2, 1);
    const { update, deletes } = analyzeUpdate(server, Y.encodeStateAsUpdate(bob));
    expect(deletes).toBe(true);
    expect([...Y.decodeUpdate(update).ds.clients.get(ALICE)!]).toEqual([{ clock: 3, len: 1 }]);
  });
});
