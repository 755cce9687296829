import { describe, expect, test } from 'vitest';
import * as Y from 'yjs';
import { findEquivocation } from './equivocation.ts';
import { neutralizeUpdate } from './neutralize.ts';

const AUTHOR = 2;

function replica(from?: Y.Doc): Y.Doc {
  const doc = new Y.Doc();
  if (from) Y.applyUpdate(doc, Y.encodeStateAsUpdate(from));
  doc.clientID = AUTHOR;
  return doc;
}

function base(): Y.Doc {
  const doc = new Y.Doc();
  doc.clientID = 1;
  doc.getText('body').insert(0, 'hello');
  doc.getMap('meta').set('title', 'draft');
  return doc;
}

/** Two replicas on which the same Yjs client made two different edits at the same clocks. */
function twice(
  one: (doc: Y.Doc) => void,
  other: (doc: Y.Doc) => void,
): { stored: Y.Doc; update: Uint8Array } {
  const common = base();
  const [stored, told] = [replica(common), replica(common)];
  one(stored);
  other(told);
  return { stored, update: Y.encodeStateAsUpdate(told) };
}

const body = (doc: Y.Doc) => doc.getText('body');

describe('P1.21 other content at clocks that the document has is found', () => {
  test.each<[string, (doc: Y.Doc) => void, (doc: Y.Doc) => void]>([
    ['other text', (doc) => body(doc).insert(2, 'abc'), (doc) => body(doc).insert(2, 'abd')],
    ['another place', (doc) => body(doc).insert(2, 'abc'), (doc) => body(doc).insert(3, 'abc')],
    ['another root', (doc) => body(doc).insert(2, 'abc'), (doc) => doc.getText('notes').insert(0, 'abc')],
    ['another value', (doc) => doc.getMap('m').set('k', 1), (doc) => doc.getMap('m').set('k', 2)],
    ['another key', (doc) => doc.getMap('m').set('k', 1), (doc) => doc.getMap('m').set('l', 1)],
    [
      'one of many values',
      (doc) => doc.getArray('a').insert(0, [1, 2, 3]),
      (doc) => doc.getArray('a').insert(0, [1, 9, 3]),
    ],
    [
      'another kind of content',
      (doc) => body(doc).insert(2, 'a'),
      (doc) => body(doc).insertEmbed(2, { a: 1 }),
    ],
    [
      'another embed',
      (doc) => body(doc).insertEmbed(2, { a: 2 }),
      (doc) => body(doc).insertEmbed(2, { a: 1 }),
    ],
    [
      'another formatting',
      (doc) => body(doc).format(0, 2, { b: true }),
      (doc) => body(doc).format(0, 2, { i: true }),
    ],
    [
      'another type',
      (doc) => doc.getMap('m').set('k', new Y.Map()),
      (doc) => doc.getMap('m').set('k', new Y.Array()),
    ],
    ['another parent', (doc) => twoLists(doc, 0), (doc) => twoLists(doc, 1)],
    [
      'other bytes',
      (doc) => doc.getMap('m').set('k', Uint8Array.of(1)),
      (doc) => doc.getMap('m').set('k', Uint8Array.of(2)),
    ],
  ])('P1.21 %s', (_name, one, other) => {
    const { stored, update } = twice(one, other);
    expect(findEquivocation(stored, update)).toMatchObject({ client: AUTHOR });
    const { stored: same, update: again } = twice(one, one);
    expect(findEquivocation(same, again)).toBeUndefined();
  });

  test('P1.21 in the middle of a longer run, and only where it was looked', () => {
    const { stored, update } = twice(
      (doc) => body(doc).insert(2, 'carried and more'),
      (doc) => body(doc).insert(2, 'carriec and mare'),
    );
    expect(findEquivocation(stored, update)).toEqual({ client: AUTHOR, clock: 0, length: 16 });
    const at = (clock: number, length: number) =>
      findEquivocation(stored, update, { within: [{ client: AUTHOR, clock, length }] });
    expect(at(0, 6)).toBeUndefined();
    expect(at(6, 1)).toEqual({ client: AUTHOR, clock: 6, length: 1 });
    expect(at(7, 6)).toBeUndefined();
    expect(at(13, 100)).toEqual({ client: AUTHOR, clock: 13, length: 3 });
    expect(
      findEquivocation(stored, update, { within: [{ client: 1, clock: 0, length: 5 }] }),
    ).toBeUndefined();
  });
});

function twoLists(doc: Y.Doc, into: number): void {
  const lists = [new Y.Array<number>(), new Y.Array<number>()] as const;
  doc.getArray('lists').insert(0, [...lists]);
  lists[into as 0 | 1].insert(0, [7]);
}

describe('P1.21 the same content is no other, however it is stored', () => {
  test('P1.21 cut into pieces by what others wrote, on either side', () => {
    const common = base();
    const author = replica(common);
    body(author).insert(2, 'a long run');
    author.getArray('list').insert(0, [1, 2, 3, 4]);
    const other = new Y.Doc();
    other.clientID = 3;
    Y.applyUpdate(other, Y.encodeStateAsUpdate(author));
    for (const at of [4, 6, 9]) body(other).insert(at, '-');
    other.getArray('list').insert(2, ['between']);
    expect(findEquivocation(other, Y.encodeStateAsUpdate(author))).toBeUndefined();
    expect(findEquivocation(author, Y.encodeStateAsUpdate(other))).toBeUndefined();
    const tail = new Map([
      [1, 100],
      [AUTHOR, 5],
    ]);
    expect(findEquivocation(other, Y.encodeStateAsUpdate(author, Y.encodeStateVector(tail)))).toBeUndefined();
  });

  test('P1.21 with a pair of surrogates that one replica has split', () => {
    const author = replica(base());
    body(author).insert(2, 'x😀y');
    const other = new Y.Doc();
    Y.applyUpdate(other, Y.encodeStateAsUpdate(author));
    body(other).insert(4, 'in between');
    expect(body(other).toJSON()).toContain('\ufffd');
    expect(findEquivocation(other, Y.encodeStateAsUpdate(author))).toBeUndefined();
    expect(findEquivocation(author, Y.encodeStateAsUpdate(other))).toBeUndefined();
    const { stored, update } = twice(
      (doc) => body(doc).insert(2, 'x\ufffdy'),
      (doc) => body(doc).insert(2, 'xzy'),
    );
    expect(findEquivocation(stored, update)).toBeDefined();
  });

  test('P1.21 deleted or neutralised on one side', () => {
    const author = replica(base());
    body(author).insert(2, 'abc');
    author.getMap('meta').set('inner', new Y.Map([['k', 1]]));
    const update = Y.encodeStateAsUpdate(author);
    const other = new Y.Doc();
    Y.applyUpdate(other, update);
    body(other).delete(0, 8);
    other.getMap('meta').delete('inner');
    expect(findEquivocation(other, update)).toBeUndefined();
    expect(findEquivocation(author, Y.encodeStateAsUpdate(other))).toBeUndefined();
    const server = base();
    Y.applyUpdate(server, neutralizeUpdate([{ client: AUTHOR, clock: 0, length: 5 }]));
    expect(findEquivocation(server, update)).toBeUndefined();
  });

  test('P1.21 clocks that the document does not have are not compared', () => {
    const author = replica(base());
    body(author).insert(2, 'abc');
    expect(findEquivocation(base(), Y.encodeStateAsUpdate(author))).toBeUndefined();
  });

  test('P1.21 comparing a long text stored in many pieces does not grow with their square', () => {
    const author = replica(base());
    body(author).insert(0, 'x'.repeat(200_000));
    const other = new Y.Doc();
    Y.applyUpdate(other, Y.encodeStateAsUpdate(author));
    body(other).applyDelta(Array.from({ length: 10_000 }, () => [{ retain: 9 }, { delete: 1 }]).flat());
    const started = performance.now();
    expect(findEquivocation(other, Y.encodeStateAsUpdate(author))).toBeUndefined();
    expect(performance.now() - started).toBeLessThan(2_000);
  });
});
