import { documentKey, silentLogger, type CommittedUpdate } from '@weft/common';
import { describe, expect, test } from 'vitest';
import * as Y from 'yjs';
import { CarriedClocks, type OpenDocument } from './carried-clocks.ts';

const AUTHOR = 7;
const key = documentKey('acme', 'plan');

/** What the author wrote: saved, and then shown only. */
function wrote(shown: string): { saved: Uint8Array; shown: Uint8Array; replica: Y.Doc } {
  const replica = new Y.Doc();
  replica.clientID = AUTHOR;
  replica.getText('body').insert(0, 'saved. ');
  const saved = Y.encodeStateAsUpdate(replica);
  const before = Y.encodeStateVector(replica);
  replica.getText('body').insert(7, shown);
  return { saved, shown: Y.encodeStateAsUpdate(replica, before), replica };
}

/** A server on which the second part was carried. */
function opened(shown: string): { document: OpenDocument; carried: Uint8Array } {
  const { saved, shown: carried } = wrote(shown);
  const document = new Y.Doc();
  for (const update of [saved, carried]) Y.applyUpdate(document, update);
  return { document: { key, log: { id: 1 }, document }, carried };
}

const clocksWith = (readCarried: () => Promise<Uint8Array[]>) =>
  new CarriedClocks({ readCarried, logger: silentLogger, guardLimits: {} });

const row = (kind: CommittedUpdate['kind'], update: Uint8Array) => ({ kind, update }) as CommittedUpdate;

const asked = (question: Uint8Array) => Y.decodeStateVector(question).get(AUTHOR);

describe('P1.21 carried clocks', () => {
  test('P1.21 are asked for again from whoever has them, and from nobody else', async () => {
    const { document, carried } = opened('shown. ');
    const clocks = clocksWith(async () => [carried]);
    const has = (clock: number) => Y.encodeStateVector(new Map([[AUTHOR, clock]]));
    expect(asked(clocks.question(document, has(14)))).toBe(14);
    await clocks.learn(document);
    expect(clocks.learn(document)).toBeUndefined();
    expect(asked(clocks.question(document, has(14)))).toBe(7);
    expect(asked(clocks.question(document, has(9)))).toBe(7);
    expect(asked(clocks.question(document, has(7)))).toBe(14);
    expect(asked(clocks.question(document))).toBe(14);
    expect(asked(clocks.question(document, Y.encodeStateVector(new Y.Doc())))).toBe(14);
  });

  test('P1.21 are known from rows as they are committed', () => {
    const { document, carried } = opened('shown. ');
    const clocks = clocksWith(async () => []);
    const theirs = Y.encodeStateVector(document.document);
    clocks.observe(document, [row('edit', carried), row('system', carried)]);
    expect(asked(clocks.question(document, theirs))).toBe(14);
    clocks.observe(document, [row('carried', carried)]);
    expect(asked(clocks.question(document, theirs))).toBe(7);
  });

  test('P1.21 contradict other content at them, and only there', async () => {
    const { document, carried } = opened('forged.');
    const clocks = clocksWith(async () => [carried]);
    const { replica } = wrote('shown. ');
    const answer = Y.encodeStateAsUpdate(replica);
    expect(clocks.contradicted(document, answer)).toBeUndefined();
    await clocks.learn(document);
    expect(clocks.contradicted(document, answer)).toMatchObject({ client: AUTHOR, clock: 7 });
    expect(clocks.contradicted(document, wrote('forged.').shown)).toBeUndefined();
  });

  test('P1.21 a log that fails keeps nobody from the document, and is asked again', async () => {
    const { document, carried } = opened('shown. ');
    let reads = 0;
    const clocks = clocksWith(() => {
      reads += 1;
      return reads === 1 ? Promise.reject(new Error('connection refused')) : Promise.resolve([carried]);
    });
    await Promise.all([clocks.learn(document), clocks.learn(document)]);
    expect(reads).toBe(1);
    await clocks.learn(document);
    expect(asked(clocks.question(document, Y.encodeStateVector(document.document)))).toBe(7);
  });

  test('P1.21 of very many the newest are known', async () => {
    const rows = Array.from({ length: 1_001 }, (_, n) => {
      const replica = new Y.Doc();
      replica.clientID = n + 1;
      replica.getText('body').insert(0, 'x');
      return Y.encodeStateAsUpdate(replica);
    });
    const document = new Y.Doc();
    Y.applyUpdate(document, Y.mergeUpdates(rows));
    const open: OpenDocument = { key, log: { id: 1 }, document };
    const clocks = clocksWith(async () => rows.toReversed());
    await clocks.learn(open);
    const question = Y.decodeStateVector(clocks.question(open, Y.encodeStateVector(document)));
    expect([question.get(1), question.get(2), question.get(1_001)]).toEqual([1, 0, 0]);
  });
});
