import { describe, expect, test } from 'vitest';
import * as Y from 'yjs';
import { analyzeUpdate } from './analyze.ts';
import { neutralizeUpdate } from './neutralize.ts';
import { fingerprint } from './testing/fingerprint.ts';

const AUTHOR = 2;

/** A server, a reader, and an author whose edits are refused; all have "hello". */
function session() {
  const server = new Y.Doc();
  server.clientID = 1;
  server.getText('body').insert(0, 'hello');
  const [author, reader] = [AUTHOR, 3].map((clientID) => {
    const doc = new Y.Doc();
    doc.clientID = clientID;
    doc.getText('body');
    Y.applyUpdate(doc, Y.encodeStateAsUpdate(server));
    return doc;
  }) as [Y.Doc, Y.Doc];
  const sent: Uint8Array[] = [];
  author.on('update', (update: Uint8Array, _o: unknown, _d: Y.Doc, { local }: Y.Transaction) => {
    if (local) sent.push(update);
  });
  return { server, author, reader, sent };
}

/** As the gateway does: refuse, and relay what takes its place to everybody. */
function refuse(update: Uint8Array, server: Y.Doc, replicas: readonly Y.Doc[]): void {
  const repair = neutralizeUpdate(analyzeUpdate(server, update).authors);
  const { update: exact, missing } = analyzeUpdate(server, repair);
  expect(missing).toEqual([]);
  Y.applyUpdate(server, exact);
  for (const replica of replicas) Y.applyUpdate(replica, repair);
}

/** As the gateway does: apply, and tell the author what became garbage. */
function accept(update: Uint8Array, server: Y.Doc, author: Y.Doc, others: readonly Y.Doc[]): number {
  const analysis = analyzeUpdate(server, update);
  expect(analysis.missing).toEqual([]);
  Y.applyUpdate(server, analysis.update);
  for (const replica of others) Y.applyUpdate(replica, analysis.update);
  Y.applyUpdate(author, neutralizeUpdate(analysis.collapsed));
  return analysis.collapsed.length;
}

function expectSame(...docs: readonly Y.Doc[]): void {
  for (const doc of docs) {
    expect(doc.store.pendingStructs).toBeNull();
    expect(doc.store.pendingDs).toBeNull();
    expect(fingerprint(doc)).toBe(fingerprint(docs[0]!));
  }
}

describe('P3.16 refused content is neutralised for everybody', () => {
  test('P3.16 for who has it and who never saw it', () => {
    const { server, author, reader, sent } = session();
    author.getText('body').insert(2, 'REFUSED');
    refuse(sent[0]!, server, [author, reader]);
    expectSame(server, author, reader);
    expect(server.getText('body').toJSON()).toBe('hello');
  });

  test('P3.16 also when it comes in the other order, or twice', () => {
    const { server, author, sent } = session();
    author.getText('body').insert(2, 'REFUSED');
    const repair = neutralizeUpdate(analyzeUpdate(server, sent[0]!).authors);
    const first = new Y.Doc();
    Y.applyUpdate(first, Y.encodeStateAsUpdate(server));
    for (const update of [repair, sent[0]!, repair]) Y.applyUpdate(first, update);
    const second = new Y.Doc();
    Y.applyUpdate(second, Y.encodeStateAsUpdate(server));
    for (const update of [sent[0]!, repair]) Y.applyUpdate(second, update);
    expectSame(first, second);
  });

  test('P3.16 the author goes on elsewhere as before', () => {
    const { server, author, reader, sent } = session();
    author.getText('body').insert(0, 'REFUSED');
    author.getText('other').insert(0, 'fine');
    refuse(sent[0]!, server, [author, reader]);
    accept(sent[1]!, server, author, [reader]);
    author.getText('other').insert(4, '!');
    accept(sent[2]!, server, author, [reader]);
    expectSame(server, author, reader);
    expect(server.getText('other').toJSON()).toBe('fine!');
  });

  test('P3.16 what the author writes next to it before the repair arrives is neither pending nor different', () => {
    const { server, author, reader, sent } = session();
    author.getText('body').insert(2, 'RE');
    author.getText('body').insert(4, 'later');
    author.getText('body').insert(3, 'between');
    refuse(sent[0]!, server, [reader]);
    expect(accept(sent[1]!, server, author, [reader])).toBe(1);
    expect(accept(sent[2]!, server, author, [reader])).toBe(1);
    Y.applyUpdate(author, neutralizeUpdate([{ client: AUTHOR, clock: 0, length: 2 }]));
    expectSame(server, author, reader);
    expect(author.getText('body').toJSON()).toBe('hello');
  });

  test('P3.16 a shared type that is refused takes along what was put into it', () => {
    const { server, author, reader, sent } = session();
    const list = author.getArray<Y.Text>('list');
    list.insert(0, [new Y.Text('inner')]);
    list.get(0).insert(0, 'later ');
    refuse(sent[0]!, server, [author, reader]);
    accept(sent[1]!, server, author, [reader]);
    expectSame(server, author, reader);
  });

  test('P3.16 what others wrote meanwhile stays', () => {
    const { server, author, reader, sent } = session();
    author.getText('body').insert(2, 'REFUSED');
    reader.getText('body').insert(2, 'welcome');
    const update = Y.encodeStateAsUpdate(reader, Y.encodeStateVector(server));
    Y.applyUpdate(server, analyzeUpdate(server, update).update);
    Y.applyUpdate(author, update);
    refuse(sent[0]!, server, [author, reader]);
    expectSame(server, author, reader);
    expect(server.getText('body').toJSON()).toBe('hewelcomello');
  });

  test('P3.16 what the author deleted or replaced is not restored there: that needs a rebuild', () => {
    const { server, author, reader, sent } = session();
    author.getText('body').delete(0, 2);
    const { authors, deletes } = analyzeUpdate(server, sent[0]!);
    expect(deletes).toBe(true);
    Y.applyUpdate(author, neutralizeUpdate(authors));
    expect(author.getText('body').toJSON()).toBe('llo');
    expect(reader.getText('body').toJSON()).toBe('hello');
  });
});
