import { beforeEach, expect, test } from 'vitest';
import { DocumentSize } from './document-size.ts';

let actual: number;
let measurements: number;
let size: DocumentSize;

beforeEach(() => {
  actual = measurements = 0;
  const measure = () => {
    measurements++;
    return actual;
  };
  size = new DocumentSize({ limit: 1_600, measure });
});

test('P7.28 what a document was made of counts only as far as it is still there', () => {
  for (let written = 0; written < 10_000; written += 100) {
    size.requireRoom(100);
    size.grow(100);
    actual = 500;
  }
  expect(size.atMost).toBeLessThanOrEqual(1_600);
  expect(measurements).toBeLessThan(12);
});

test('P7.28 a document that is at its limit does not grow, and is not measured for each attempt', () => {
  size.grow(1_600);
  actual = 1_590;
  for (let attempt = 0; attempt < 100; attempt++)
    expect(() => size.requireRoom(50)).toThrow('The document has reached its size limit.');
  expect(measurements).toBe(1);
  size.requireRoom(10);
});
