import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import * as Y from 'yjs';
import { gzipSync } from 'node:zlib';
import { isReadyFor, prepareFromTrace, readTrace, replayTrace } from './trace.ts';

const directory = mkdtempSync(join(tmpdir(), 'weft-trace-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

function stored(name: string, content: object): string {
  const path = join(directory, name);
  writeFileSync(path, gzipSync(JSON.stringify(content)));
  return path;
}

const linear = {
  startContent: 'abc',
  endContent: 'aXYc!',
  txns: [
    {
      patches: [
        [1, 1, 'X'],
        [2, 0, 'Y'],
      ],
    },
    { patches: [[4, 0, '!']] },
  ],
};

/** Two people write at the same place without seeing each other, then one sees both and goes on. */
const concurrent = {
  kind: 'concurrent',
  endContent: '[one two]',
  numAgents: 2,
  txns: [
    { parents: [], agent: 0, patches: [[0, 0, '[]']] },
    { parents: [0], agent: 0, patches: [[1, 0, 'one']] },
    { parents: [0], agent: 1, patches: [[1, 0, 'two']] },
    { parents: [1, 2], agent: 1, patches: [[4, 0, ' ']] },
  ],
};

test('P12.1 a linear session ends with its recorded text', () => {
  const trace = readTrace(stored('linear.json.gz', linear));
  const { doc, operations, deletions } = replayTrace(trace);
  expect(doc.getText('text').toJSON()).toBe(linear.endContent);
  expect([operations, deletions]).toEqual([4, 1]);
});

test('P12.1 a concurrent session ends with its recorded text, whoever applies its steps', () => {
  const trace = readTrace(stored('concurrent.json.gz', concurrent));
  const { doc, steps } = replayTrace(trace);
  expect(doc.getText('text').toJSON()).toBe(concurrent.endContent);
  const other = new Y.Doc();
  for (const step of steps) {
    expect(isReadyFor(other, step)).toBe(true);
    Y.applyUpdate(other, step.update);
  }
  expect(other.getText('text').toJSON()).toBe(concurrent.endContent);
});

test('P12.1 a step is not ready before what its author had seen', () => {
  const { steps } = replayTrace(readTrace(stored('concurrent.json.gz', concurrent)));
  const [first, , , last] = steps;
  if (!first || !last) throw new Error('The session has four steps');
  const doc = new Y.Doc();
  expect(isReadyFor(doc, first)).toBe(true);
  Y.applyUpdate(doc, first.update);
  expect(isReadyFor(doc, last)).toBe(false);
});

test('P12.1 a recorded session serves as a document to seed', () => {
  const prepared = prepareFromTrace(stored('linear.json.gz', linear));
  const doc = new Y.Doc();
  for (const piece of prepared.pieces) Y.applyUpdate(doc, piece);
  expect(doc.store.pendingStructs).toBeNull();
  expect(Y.encodeStateAsUpdate(doc)).toEqual(prepared.state);
});

test('P12.1 a session with characters beyond the basic plane is refused, as its positions would be off', () => {
  const path = stored('astral.json.gz', { ...linear, txns: [{ patches: [[0, 0, '😀']] }] });
  expect(() => readTrace(path)).toThrow(/beyond/);
});
