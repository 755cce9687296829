import { expect, test } from 'vitest';
import { distribution, median } from './statistics.ts';

test('P12.1 quantiles are of the nearest rank', () => {
  const values = Array.from({ length: 100 }, (_, index) => 100 - index);
  expect(distribution(values)).toEqual({ count: 100, p50: 50, p99: 99, max: 100 });
  expect(distribution([7]).p99).toBe(7);
  expect(distribution([]).p50).toBeNaN();
});

test('P12.1 a round without a value does not move the median', () => {
  expect(median([3, NaN, 1, 2])).toBe(2);
  expect(median([1, 2])).toBe(1.5);
  expect(median([NaN])).toBeNaN();
});
