import { describe, expect, test } from 'vitest';
import * as Y from 'yjs';
import { analyzeUpdate } from './analyze.ts';
import { fingerprint } from './testing/fingerprint.ts';
import { Random } from './testing/random.ts';
import { Session } from './testing/session.ts';
import { inTurns, type Brought } from './turns.ts';

const structsOf = (update: Uint8Array) => Y.parseUpdateMeta(update);

/** Everybody has everything, and brings it to a server that lacks what came after `server`. */
function everybody(people: readonly Y.Doc[], server: Y.Doc): Brought[] {
  for (const to of people) {
    for (const from of people) Y.applyUpdate(to, Y.encodeStateAsUpdate(from, Y.encodeStateVector(to)));
  }
  return people.map((doc) => ({
    update: analyzeUpdate(server, Y.encodeStateAsUpdate(doc)).update,
    isOwn: (client) => client === doc.clientID,
  }));
}

function pair(): [Y.Doc, Y.Doc] {
  const [a, b] = [new Y.Doc(), new Y.Doc()];
  a.clientID = 1;
  b.clientID = 2;
  const link = (from: Y.Doc, to: Y.Doc) =>
    from.on('update', (update: Uint8Array) => Y.applyUpdate(to, update));
  link(a, b);
  link(b, a);
  return [a, b];
}

describe('P1.22 people who wrote into each other’s words bring them back in turns', () => {
  test('P1.22 each turn is its author’s, and needs nothing that comes later', () => {
    const [a, b] = pair();
    for (let i = 0; i < 10; i++) (i % 2 ? b : a).getText('body').insert(i, `${i}`);
    const server = new Y.Doc();
    const turns = inTurns(server, everybody([a, b], server));
    expect(turns).toHaveLength(10);
    for (const { from, update } of turns) {
      const analysis = analyzeUpdate(server, update);
      expect(analysis.missing).toEqual([]);
      expect(analysis.authors.map(({ client }) => client)).toEqual([from + 1]);
      Y.applyUpdate(server, analysis.update);
    }
    expect(server.getText('body').toJSON()).toBe('0123456789');
  });

  test('P1.22 what is known is left out, also when it ends within a struct', () => {
    const [a, b] = pair();
    a.getText('body').insert(0, 'abc');
    const server = new Y.Doc();
    Y.applyUpdate(server, Y.encodeStateAsUpdate(a));
    a.getText('body').insert(3, 'def');
    b.getText('body').insert(6, 'ghi');
    const whole = (doc: Y.Doc) => ({
      update: Y.encodeStateAsUpdate(doc),
      isOwn: (client: number) => client === doc.clientID,
    });
    for (const { update } of inTurns(server, [whole(b), whole(a)])) {
      Y.applyUpdate(server, analyzeUpdate(server, update).update);
    }
    expect(server.getText('body').toJSON()).toBe('abcdefghi');
  });

  test('P1.22 what follows on something that nobody brings is left out', () => {
    const [a] = pair();
    a.getText('body').insert(0, 'abc');
    const before = Y.encodeStateVector(a);
    a.getText('body').insert(3, 'def');
    const rest = { update: Y.encodeStateAsUpdate(a, before), isOwn: () => true };
    expect(inTurns(new Y.Doc(), [rest])).toEqual([]);
  });

  test('P1.22 nothing is taken from anybody but its author, nor what needs it', () => {
    const [a, b] = pair();
    a.getText('body').insert(0, 'a');
    b.getText('body').insert(1, 'b');
    a.getText('body').insert(2, 'a');
    const server = new Y.Doc();
    const [ofA] = everybody([a, b], server);
    const turns = inTurns(server, ofA ? [ofA] : []);
    expect(turns.map(({ update }) => [...structsOf(update).to])).toEqual([[[1, 1]]]);
    expect(inTurns(server, [])).toEqual([]);
  });

  test('P1.22 so many at most, and the next time it goes on from there', () => {
    const [a, b] = pair();
    for (let i = 0; i < 10; i++) (i % 2 ? b : a).getText('body').insert(i, `${i}`);
    const server = new Y.Doc();
    const brought = everybody([a, b], server);
    for (let round = 0; round < 4; round++) {
      const turns = inTurns(server, brought, { max: 3 });
      expect(turns).toHaveLength(round < 3 ? 3 : 1);
      for (const { update } of turns) Y.applyUpdate(server, update);
    }
    expect(server.getText('body').toJSON()).toBe('0123456789');
  });

  test('P1.22 all of it comes back, for honest sessions of many seeds', () => {
    for (let seed = 1; seed <= 60; seed++) {
      const session = new Session(new Random(seed));
      for (let i = 0; i < 60; i++) session.step();
      const people = session.people.map(({ doc }) => doc);
      const server = new Y.Doc();
      const brought = everybody(people, server);
      for (const { update } of inTurns(server, brought)) {
        const analysis = analyzeUpdate(server, update);
        expect(analysis.missing, `seed ${seed}`).toEqual([]);
        Y.applyUpdate(server, analysis.update);
      }
      const vector = (doc: Y.Doc) => [...Y.decodeStateVector(Y.encodeStateVector(doc))].sort();
      expect(vector(server), `seed ${seed}`).toEqual(vector(people[0]!));
      // The deletions, of whoever brings them.
      const rest = analyzeUpdate(server, brought[0]!.update);
      expect(rest.authors, `seed ${seed}`).toEqual([]);
      Y.applyUpdate(server, rest.update);
      expect(fingerprint(server), `seed ${seed}`).toBe(fingerprint(people[0]!));
    }
  });
});
