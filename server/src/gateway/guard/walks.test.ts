import type { Principal, WeftError } from '@weft/common';
import { describe, expect, test } from 'vitest';
import * as Y from 'yjs';
import { Walks } from './walks.ts';

const BETWEEN = 12_000;

/** A document with so many items between its first and its last character, and who writes between those two. */
function crowded(items = BETWEEN) {
  const base = new Y.Doc();
  base.getText('body').insert(0, 'AB');
  const snapshot = Y.encodeStateAsUpdate(base);
  const replica = (): Y.Doc => {
    const doc = new Y.Doc();
    Y.applyUpdate(doc, snapshot);
    return doc;
  };
  const document = replica();
  document.transact(() => {
    for (let i = 0; i < items; i++) document.getText('body').insert(1, 'x');
  });
  const offline = (): Uint8Array => {
    const doc = replica();
    const before = Y.encodeStateVector(doc);
    doc.getText('body').insert(1, 'y');
    return Y.encodeStateAsUpdate(doc, before);
  };
  return { document, offline };
}

const person = (user: string): Principal => ({
  tenant: 'acme',
  user,
  name: undefined,
  color: undefined,
  groups: [],
  scopes: [],
  grants: {},
  expiresAt: Number.MAX_SAFE_INTEGER,
  tokenId: undefined,
});

/** With a share that is used up by one update among {@link BETWEEN} items, and comes back in ten seconds. */
function walksWith({ patience = 60_000 } = {}) {
  let time = 0;
  const clock = { now: () => time };
  const walks = new Walks({ clock, share: BETWEEN / 10 / 1_000 / 2_000, patience, guardLimits: {} });
  return { walks, pass: (ms: number) => (time += ms) };
}

describe('P7.13 updates that are fitted in among very many edits', () => {
  test('P7.13 are taken, and debited to their person: the next waits until it is paid back', () => {
    const { walks, pass } = walksWith();
    const { document, offline } = crowded();
    const analyze = (user: string) => walks.analyze({ principal: person(user), document, update: offline() });
    expect(analyze('alice')?.walk).toBeGreaterThanOrEqual(BETWEEN);
    expect(analyze('alice')).toBeUndefined();
    expect(analyze('bob')?.walk).toBeGreaterThanOrEqual(BETWEEN);
    pass(10_000);
    expect(analyze('alice')).toBeDefined();
  });

  test('P7.13 of many people together are bounded too', () => {
    const { walks } = walksWith();
    const { document, offline } = crowded();
    const outcomes = Array.from({ length: 10 }, (_, i) =>
      walks.analyze({ principal: person(`p${i}`), document, update: offline() }),
    );
    expect(outcomes.filter(Boolean)).toHaveLength(4);
  });

  test('P7.13 do not keep the same person from writing as usual', () => {
    const { walks } = walksWith();
    const { document, offline } = crowded();
    const principal = person('alice');
    while (walks.analyze({ principal, document, update: offline() }));
    const usual = new Y.Doc();
    usual.getText('notes').insert(0, 'as usual');
    const update = Y.encodeStateAsUpdate(usual);
    expect(walks.analyze({ principal, document, update })).toMatchObject({ walk: 0 });
  });

  test('P7.13 wait for their share, and are analysed when they may', async () => {
    const { walks, pass } = walksWith();
    const { document, offline } = crowded();
    const principal = person('alice');
    walks.analyze({ principal, document, update: offline() });
    const seen: string[] = [];
    const waiting = walks.later({ principal, document, update: offline() }, ({ walk }) => {
      seen.push(walk >= BETWEEN ? 'dear' : 'cheap');
      return 'done';
    });
    await Promise.resolve();
    expect(seen).toEqual([]);
    pass(10_000);
    expect(await waiting).toBe('done');
    expect(seen).toEqual(['dear']);
  });

  test('P7.13 that would wait for too long, or are beyond all bounds, are refused', async () => {
    const { walks, pass } = walksWith({ patience: 1_000 });
    const { document, offline } = crowded(3 * BETWEEN);
    const principal = person('alice');
    const code = (promise: Promise<unknown>) => promise.catch((error: WeftError) => error.code);
    walks.analyze({ principal, document, update: offline() });
    const refused = code(walks.later({ principal, document, update: offline() }, () => 'taken'));
    pass(1_000);
    expect(await refused).toBe('update-costly');

    const huge = crowded(251_000);
    pass(60_000);
    expect(() => walks.analyze({ principal, document: huge.document, update: huge.offline() })).toThrow(
      expect.objectContaining({ code: 'update-costly' }),
    );
  });
});
