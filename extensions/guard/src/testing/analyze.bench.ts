/**
 * The cost of analysing one typed character, beside that of applying it, on documents of growing size.
 *
 *     node --conditions=weft-source extensions/guard/src/testing/analyze.bench.ts
 */
import * as Y from 'yjs';
import { analyzeUpdate } from '../analyze.ts';
import { Random } from './random.ts';
import { keystrokes, typeDocument } from './typing.ts';

const SIZES = [1_000, 25_000, 250_000];
const SAMPLES = 5_000;

function median(values: number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1]!;
}

function measure(operations: number): string {
  const random = new Random(operations);
  const doc = typeDocument(random, operations);
  const analyzing: number[] = [];
  const applying: number[] = [];
  for (const update of keystrokes(random, doc, SAMPLES)) {
    const start = performance.now();
    const analysis = analyzeUpdate(doc, update);
    const analyzed = performance.now();
    Y.applyUpdate(doc, analysis.update);
    applying.push(performance.now() - analyzed);
    analyzing.push(analyzed - start);
  }
  const micros = (values: number[]): string => (median(values) * 1_000).toFixed(1).padStart(6);
  return `${String(operations).padStart(8)} operations: analyse ${micros(analyzing)} µs, apply ${micros(applying)} µs`;
}

process.stdout.write(`median of ${SAMPLES} keystrokes\n`);
for (const size of SIZES) process.stdout.write(`${measure(size)}\n`);
