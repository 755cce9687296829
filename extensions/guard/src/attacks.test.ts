import { WeftError } from '@weft/common';
import * as encoding from 'lib0/encoding';
import { describe, expect, test } from 'vitest';
import * as Y from 'yjs';
import { analyzeUpdate } from './analyze.ts';
import { Ref } from './content.ts';
import type { GuardLimits } from './limits.ts';
import { anys, forgeUpdate, type ForgedStruct, format, run, sharedType, text } from './testing/forge.ts';

const ALICE = 1;
const MALLORY = 2;

/** Alice typed "hello" into the root `body`, clocks 0 to 4. */
function aliceTyped(content = 'hello'): Y.Doc {
  const doc = new Y.Doc();
  doc.clientID = ALICE;
  doc.getText('body').insert(0, content);
  return doc;
}

function refusal(doc: Y.Doc, update: Uint8Array, limits?: Partial<GuardLimits>): string {
  try {
    analyzeUpdate(doc, update, limits);
  } catch (error) {
    if (error instanceof WeftError) return `${error.code}: ${error.detail}`;
    throw error;
  }
  return 'accepted';
}

function structs(client: number, clock: number, ...forged: ForgedStruct[]): Uint8Array {
  return forgeUpdate([{ client, clock, structs: forged }]);
}

const character: ForgedStruct = { ref: Ref.String, parent: 'body', body: text('x') };

describe('P7.10 an update that is not well-formed is refused before anything is applied', () => {
  test('P7.10 a GC of length 0, which makes a document unloadable', () => {
    expect(refusal(aliceTyped(), structs(MALLORY, 0, { ref: Ref.GC, body: run(0) }))).toContain('length 0');
  });

  test.each([
    ['string', { ref: Ref.String, parent: 'body', body: text('') }],
    ['list', { ref: Ref.Any, parent: 'body', body: anys() }],
    ['deletion', { ref: Ref.Deleted, parent: 'body', body: run(0) }],
    ['skip', { ref: Ref.Skip, body: run(0) }],
  ] satisfies [string, ForgedStruct][])('P7.10 a %s of length 0', (_name, struct) => {
    expect(refusal(aliceTyped(), structs(MALLORY, 0, struct))).toContain('length 0');
  });

  test('P7.10 a struct count of 33,554,431 in seven bytes, which takes 256 MB', () => {
    const lie = Uint8Array.of(1, 0xff, 0xff, 0xff, 0x0f, 2, 0);
    expect(refusal(aliceTyped(), lie)).toContain('counts more than it has');
  });

  test('P7.10 bytes after its end, and an end too early', () => {
    const update = structs(MALLORY, 0, character);
    expect(refusal(aliceTyped(), Uint8Array.of(...update, 0))).toContain('after its end');
    for (let length = 0; length < update.length; length++) {
      expect(refusal(aliceTyped(), update.subarray(0, length))).toMatch(/update-malformed/);
    }
  });

  test('P7.10 a string that would reach beyond the update into other memory', () => {
    const memory = new Uint8Array(100).fill(0x41);
    const update = structs(MALLORY, 0, { ...character, body: run(50) });
    memory.set(update);
    expect(refusal(aliceTyped(), memory.subarray(0, update.length))).toContain('ends early');
  });

  test('P7.10 an overlong integer, which lib0 reads as NaN', () => {
    const overlong = Uint8Array.of(...new Array<number>(200).fill(0x80), 0);
    expect(refusal(aliceTyped(), overlong)).toContain('update-malformed');
    expect(refusal(aliceTyped(), Uint8Array.of(0x80, 0x00, 0))).toContain('overlong');
  });

  test('P7.10 encoding v2', () => {
    expect(refusal(new Y.Doc(), Y.encodeStateAsUpdateV2(aliceTyped()))).toContain('update-malformed');
  });

  test.each([0x20, 0x40, 0x80])('P7.10 flag %i on a GC or a Skip', (extraFlags) => {
    for (const ref of [Ref.GC, Ref.Skip]) {
      expect(refusal(aliceTyped(), structs(MALLORY, 0, { ref, extraFlags, body: run(1) }))).toContain(
        'flags',
      );
    }
  });

  test.each([11, 15, 31])('P7.10 the unknown content %i', (ref) => {
    expect(refusal(aliceTyped(), structs(MALLORY, 0, { ref, parent: 'body', body: run(1) }))).toContain(
      'unknown',
    );
  });

  test('P7.10 an unknown shared type and an unknown kind of value', () => {
    const type = { ref: Ref.Type, parent: 'body', body: sharedType(7) };
    const any: ForgedStruct = {
      ref: Ref.Any,
      parent: 'body',
      body: (e) => encoding.writeUint8Array(e, Uint8Array.of(1, 9)),
    };
    expect(refusal(aliceTyped(), structs(MALLORY, 0, type))).toContain('unknown shared type');
    expect(refusal(aliceTyped(), structs(MALLORY, 0, any))).toContain('unknown kind of value');
  });

  test.each([[0xff], [0xc0, 0x80], [0xed, 0xa0, 0x80], [0xf4, 0x90, 0x80, 0x80], [0xe2, 0x82]])(
    'P7.10 invalid UTF-8 %#',
    (...bytes) => {
      const body: ForgedStruct['body'] = (encoder) =>
        encoding.writeVarUint8Array(encoder, Uint8Array.from(bytes));
      expect(refusal(aliceTyped(), structs(MALLORY, 0, { ...character, body }))).toContain('UTF-8');
    },
  );

  test('P7.10 invalid JSON', () => {
    expect(
      refusal(aliceTyped(), structs(MALLORY, 0, { ref: Ref.Embed, parent: 'body', body: text('{') })),
    ).toContain('JSON');
  });

  test('P7.10 a second block of the same client, and a second delete set', () => {
    const block = { client: MALLORY, clock: 0, structs: [character] };
    expect(refusal(aliceTyped(), forgeUpdate([block, block]))).toContain('two blocks');
    const deletes = { client: ALICE, ranges: [[0, 1]] as const };
    expect(refusal(aliceTyped(), forgeUpdate([], [deletes, deletes]))).toContain('two delete sets');
  });

  test('P7.10 delete ranges of length 0, out of order, or overlapping', () => {
    for (const ranges of [
      [[0, 0]],
      [
        [3, 1],
        [1, 1],
      ],
      [
        [0, 3],
        [2, 2],
      ],
    ] as [number, number][][]) {
      expect(refusal(aliceTyped(), forgeUpdate([], [{ client: ALICE, ranges }]))).toContain('delete range');
    }
  });

  test('P7.10 a reference to itself, and structs that depend on each other', () => {
    const self = structs(MALLORY, 0, { ...character, origin: { client: MALLORY, clock: 0 } });
    expect(refusal(aliceTyped(), self)).toContain('itself');
    const cycle = forgeUpdate([
      { client: 3, clock: 0, structs: [{ ...character, origin: { client: MALLORY, clock: 0 } }] },
      { client: MALLORY, clock: 0, structs: [{ ...character, origin: { client: 3, clock: 0 } }] },
    ]);
    expect(refusal(aliceTyped(), cycle)).toContain('depend on each other');
  });

  test('P7.10 several live values under one key', () => {
    const values = { ref: Ref.Any, parent: 'map', key: 'k', body: anys(1, 2) };
    expect(refusal(aliceTyped(), structs(MALLORY, 0, values))).toContain('several values');
    const deleted = forgeUpdate(
      [{ client: MALLORY, clock: 0, structs: [values] }],
      [{ client: MALLORY, ranges: [[0, 2]] }],
    );
    expect(refusal(aliceTyped(), deleted)).toBe('accepted');
  });

  test('P7.10 a parent that is no shared type', () => {
    const child = { ...character, parent: { client: ALICE, clock: 0 } };
    expect(refusal(aliceTyped(), structs(MALLORY, 0, child))).toContain('no shared type');
  });
});

describe('P7.11 no key can reach the prototype of an object', () => {
  const forbidden = '__proto__';
  test.each([
    ['a map key', { ref: Ref.Any, parent: 'map', key: forbidden, body: anys(1) }],
    ['a root type', { ...character, parent: forbidden }],
    ['a formatting', { ref: Ref.Format, parent: 'body', body: format(forbidden, 'true') }],
    ['a value', { ref: Ref.Any, parent: 'body', body: anys(JSON.parse('{"__proto__":{"role":"owner"}}')) }],
    ['a JSON value', { ref: Ref.Embed, parent: 'body', body: text('{"a":[{"__proto__":{}}]}') }],
    ['an escaped JSON value', { ref: Ref.Embed, parent: 'body', body: text('{"\\u005f_proto__":{}}') }],
  ] satisfies [string, ForgedStruct][])('P7.11 %s named __proto__', (_name, struct) => {
    expect(refusal(aliceTyped(), structs(MALLORY, 0, struct))).toContain(forbidden);
  });
});

describe('P7.12 an update stays within the limits', () => {
  test('P7.12 50,000 root types', () => {
    const many = Array.from({ length: 50_000 }, (_, i) => ({ ...character, parent: `root${i}` }));
    expect(refusal(aliceTyped(), structs(MALLORY, 0, ...many))).toContain('too many root types');
  });

  test('P7.12 root types added by many updates', () => {
    const doc = aliceTyped();
    for (let i = 0; i < 20; i++) doc.getMap(`root${i}`);
    expect(
      refusal(doc, structs(MALLORY, 0, { ...character, parent: 'one more' }), { maxRoots: 21 }),
    ).toContain('root');
  });

  test('P7.12 types nested 5,000 deep', () => {
    const nested = Array.from({ length: 5_000 }, (_, clock) => ({
      ref: Ref.Type,
      parent: clock === 0 ? 'body' : { client: MALLORY, clock: clock - 1 },
      body: sharedType(0),
    }));
    expect(refusal(aliceTyped(), structs(MALLORY, 0, ...nested))).toContain('nested-too-deep');
  });

  test('P7.12 types nested deeper by many updates', () => {
    const doc = aliceTyped();
    const inner = (clock: number) => ({
      ref: Ref.Type,
      parent: clock === 0 ? 'list' : { client: MALLORY, clock: clock - 1 },
      body: sharedType(0),
    });
    for (let clock = 0; clock < 200; clock++) {
      Y.applyUpdate(doc, analyzeUpdate(doc, structs(MALLORY, clock, inner(clock))).update);
    }
    expect(refusal(doc, structs(MALLORY, 200, inner(200)))).toContain('nested-too-deep');
  });

  test('P7.12 values nested 5,000 deep, as values and as JSON', () => {
    const depth = 5_000;
    const bytes = Uint8Array.from([1, ...new Array<number[]>(depth).fill([117, 1]).flat(), 126]);
    const any: ForgedStruct = {
      ref: Ref.Any,
      parent: 'body',
      body: (encoder) => encoding.writeUint8Array(encoder, bytes),
    };
    const json = { ref: Ref.Embed, parent: 'body', body: text('['.repeat(depth) + ']'.repeat(depth)) };
    expect(refusal(aliceTyped(), structs(MALLORY, 0, any))).toContain('nested-too-deep');
    expect(refusal(aliceTyped(), structs(MALLORY, 0, json))).toContain('nested-too-deep');
  });

  test('P7.12 huge clocks, client ids and runs', () => {
    expect(refusal(aliceTyped(), structs(MALLORY, 0, { ref: Ref.GC, body: run(2 ** 52) }))).toContain(
      'run too long',
    );
    expect(refusal(aliceTyped(), structs(MALLORY, 2 ** 53 - 2, character))).toContain('clock too large');
    const long = { ...character, body: text('xxxxx') };
    expect(refusal(aliceTyped(), structs(MALLORY, 2 ** 31 - 6, long))).toBe('accepted');
    expect(refusal(aliceTyped(), structs(MALLORY, 2 ** 31 - 5, long))).toContain('clock too large');
    expect(refusal(aliceTyped(), structs(2 ** 33, 0, character))).toContain('client id too large');
    const deletes = { client: ALICE, ranges: [[2 ** 40, 1]] as const };
    expect(refusal(aliceTyped(), forgeUpdate([], [deletes]))).toContain('clock too large');
  });

  test('P7.12 a subdocument, unless they are allowed', () => {
    const doc = new Y.Doc();
    doc.getMap('map').set('sub', new Y.Doc());
    const update = Y.encodeStateAsUpdate(doc);
    expect(refusal(new Y.Doc(), update)).toContain('subdocument-forbidden');
    expect(refusal(new Y.Doc(), update, { maxSubdocuments: 1 })).toBe('accepted');
    const odd: ForgedStruct = {
      ref: Ref.Doc,
      parent: 'body',
      body: (encoder) => {
        encoding.writeVarString(encoder, 'guid');
        encoding.writeAny(encoder, { gcFilter: 1 });
      },
    };
    expect(refusal(new Y.Doc(), structs(MALLORY, 0, odd), { maxSubdocuments: 1 })).toContain(
      'unknown option',
    );
  });
});

describe('P7.13 the cost of applying an update is bounded', () => {
  /** Characters that are an item each, since each was typed before the others. */
  function scattered(items: number): Y.Doc {
    const doc = aliceTyped('x');
    const body = doc.getText('body');
    doc.transact(() => {
      for (let i = 1; i < items; i++) body.insert(0, 'x');
    });
    return doc;
  }

  test('P7.13 an item between the first and the last of a large document', () => {
    const doc = scattered(11_000);
    const between = { ...character, right: { client: ALICE, clock: 0 } };
    expect(refusal(doc, structs(MALLORY, 0, between))).toContain('update-');
    expect(refusal(doc, structs(MALLORY, 0, character))).toContain('update-costly');
  });

  test('P7.13 several items that are far apart from their neighbours, together', () => {
    const limits = { maxWalk: 100, maxTotalWalk: 100 };
    expect(refusal(scattered(60), structs(MALLORY, 0, character), limits)).toBe('accepted');
    expect(refusal(scattered(60), structs(MALLORY, 0, character, character), limits)).toContain(
      'too many items between neighbours',
    );
  });

  test('P7.13 a value under a key that has had very many', () => {
    const doc = new Y.Doc({ gc: false });
    for (let n = 0; n < 30; n++) doc.getMap('map').set('key', new Y.Text());
    const value = { ...character, parent: 'map', key: 'key' };
    expect(refusal(doc, structs(MALLORY, 0, value), { maxWalk: 40 })).toBe('accepted');
    expect(refusal(doc, structs(MALLORY, 0, value), { maxWalk: 20 })).toContain('too many values of one key');
  });

  test('P7.13 many items that each have to be compared with all before', () => {
    const doc = aliceTyped('x'.repeat(3_000));
    const forged = Array.from({ length: 3_000 }, (_, clock) => ({
      ...character,
      right: { client: ALICE, clock },
    }));
    const started = performance.now();
    expect(refusal(doc, structs(MALLORY, 0, ...forged))).toMatch(/^(update-|document-rebuild)/);
    expect(performance.now() - started).toBeLessThan(1_000);
  });

  test('P7.13 a document of many concurrent items is accepted when it comes whole', () => {
    const update = Y.encodeStateAsUpdate(scattered(9_000));
    expect(refusal(new Y.Doc(), update)).toBe('accepted');
  });

  test('P7.13 a delete set of future ranges is reported, to be kept out of the document', () => {
    const ranges = Array.from({ length: 100_000 }, (_, i) => [100 + 2 * i, 1] as const);
    const { missing } = analyzeUpdate(aliceTyped(), forgeUpdate([], [{ client: ALICE, ranges }]));
    expect(missing).toHaveLength(1_000);
  });
});

describe('P7.14 neighbours that were never side by side are refused: replicas would order them differently', () => {
  const at = (clock: number) => ({ client: ALICE, clock });

  test('P7.14 in the wrong order, or the same', () => {
    expect(
      refusal(aliceTyped(), structs(MALLORY, 0, { ...character, origin: at(3), right: at(1) })),
    ).toContain('side');
    expect(
      refusal(aliceTyped(), structs(MALLORY, 0, { ...character, origin: at(2), right: at(2) })),
    ).toContain('side');
  });

  test('P7.14 apart although one was written next to the other', () => {
    expect(refusal(aliceTyped(), structs(MALLORY, 0, { ...character, right: at(3) }))).toContain('side');
    expect(
      refusal(aliceTyped(), structs(MALLORY, 0, { ...character, origin: at(1), right: at(4) })),
    ).toContain('side');
  });

  test('P7.14 in different root types', () => {
    const doc = aliceTyped();
    doc.getText('comments').insert(0, 'world');
    const across = { ...character, origin: at(4), right: at(5) };
    expect(refusal(doc, structs(MALLORY, 0, across))).toContain('different lists');
  });
});
