import { expect, test } from 'vitest';
import { backoff } from './backoff.ts';

test('P9.12 the waits between two attempts grow, each its own, and stay below half a minute', () => {
  const many = (attempt: number) => Array.from({ length: 200 }, () => backoff(attempt));
  expect(Math.max(...many(0))).toBeLessThan(1_000);
  for (const attempt of [10, 100, 10_000]) {
    expect(Math.min(...many(attempt))).toBeGreaterThan(5_000);
    expect(Math.max(...many(attempt))).toBeLessThan(30_000);
  }
  expect(new Set(many(3)).size).toBeGreaterThan(1);
});
