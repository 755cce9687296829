import { describe, expect, test } from 'vitest';
import * as Y from 'yjs';
import { analyzeUpdate } from './analyze.ts';
import { type AuthorSplit, splitByAuthor } from './split.ts';
import { fingerprint } from './testing/fingerprint.ts';
import { Random } from './testing/random.ts';
import { Session } from './testing/session.ts';
import { isEmptyUpdate } from './write.ts';

const LOST = 10;
const CARRIER = 20;

/** The server lost what LOST wrote; CARRIER saw it, wrote some more, and brings it all. */
function crash(carry: (carrier: Y.Doc) => void): { server: Y.Doc; carrier: Y.Doc; split: AuthorSplit } {
  const server = new Y.Doc();
  server.clientID = 1;
  server.getText('body').insert(0, 'hello');
  const carrier = new Y.Doc();
  Y.applyUpdate(carrier, Y.encodeStateAsUpdate(server));
  carrier.clientID = LOST;
  carrier.getText('body').insert(5, ' lost');
  carrier.clientID = CARRIER;
  carry(carrier);
  const { update } = analyzeUpdate(server, Y.encodeStateAsUpdate(carrier));
  return { server, carrier, split: splitByAuthor(update, (client) => client === CARRIER) };
}

function authorsOf(update: Uint8Array): number[] {
  return [...Y.parseUpdateMeta(update).from.keys()];
}

describe('P1.14 of carried work the part of the carrier is taken at once', () => {
  test('P1.14 as far as it needs nothing of the rest', () => {
    const { server, carrier, split } = crash((doc) => {
      doc.getText('body').insert(0, 'own ');
      doc.getText('body').insert(10, '!');
    });
    expect(authorsOf(split.own)).toEqual([CARRIER]);
    expect([...split.carried.keys()]).toEqual([LOST]);
    Y.applyUpdate(server, analyzeUpdate(server, split.own).update);
    expect(server.getText('body').toJSON()).toBe('own hello');
    for (const part of [split.carried.get(LOST)!, split.rest]) {
      expect(analyzeUpdate(server, part).missing).toEqual([]);
      Y.applyUpdate(server, part);
    }
    expect(fingerprint(server)).toBe(fingerprint(carrier));
  });

  test('P1.14 what depends on carried work waits for it', () => {
    const { server, split } = crash((doc) => doc.getText('body').insert(10, '!'));
    expect(isEmptyUpdate(split.own)).toBe(true);
    expect(analyzeUpdate(server, split.rest).missing).not.toEqual([]);
  });

  test('P1.14 deletions are the carrier’s, those inside carried work wait', () => {
    const { server, split } = crash((doc) => doc.getText('body').delete(4, 3));
    expect(authorsOf(split.own)).toEqual([]);
    expect(analyzeUpdate(server, split.own).deletes).toBe(true);
    expect([...Y.decodeUpdate(split.own).ds.clients.keys()]).toEqual([1]);
    expect([...Y.decodeUpdate(split.rest).ds.clients.keys()]).toEqual([LOST]);
  });

  test('P1.14 an update without foreign parts is all own', () => {
    const { bytes, split } = whole();
    expect(fingerprint(load(split.own))).toBe(fingerprint(load(bytes)));
    expect(split.carried.size).toBe(0);
    expect(isEmptyUpdate(split.rest)).toBe(true);
  });

  test('P1.14 the parts together are the whole, for honest sessions of many seeds', () => {
    for (let seed = 1; seed <= 60; seed++) checkSplit(seed);
  });
});

function load(...updates: Uint8Array[]): Y.Doc {
  const doc = new Y.Doc();
  for (const update of updates) Y.applyUpdate(doc, update);
  return doc;
}

function whole() {
  const doc = new Y.Doc();
  doc.getMap('map').set('k', new Y.Text('text'));
  doc.getMap('map').delete('k');
  const bytes = Y.encodeStateAsUpdate(doc);
  return { bytes, split: splitByAuthor(bytes, () => true) };
}

function checkSplit(seed: number): void {
  const session = new Session(new Random(seed));
  for (let i = 0; i < 40; i++) session.step();
  const { doc } = session.people[0]!;
  const own = new Set(session.people.slice(0, 2).map((person) => person.doc.clientID));
  const bytes = Y.encodeStateAsUpdate(doc);
  const split = splitByAuthor(bytes, (client) => own.has(client));
  const server = new Y.Doc();
  const first = analyzeUpdate(server, split.own);
  expect(first.missing, `seed ${seed}`).toEqual([]);
  expect(first.authors.every(({ client }) => own.has(client))).toBe(true);
  Y.applyUpdate(server, split.own);
  for (const [client, part] of split.carried) {
    expect(authorsOf(part)).toEqual([client]);
    Y.applyUpdate(server, part);
  }
  Y.applyUpdate(server, split.rest);
  expect(fingerprint(server), `seed ${seed}`).toBe(fingerprint(load(bytes)));
}
