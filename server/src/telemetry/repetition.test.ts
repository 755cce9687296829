import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Repetition } from './repetition.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function writing() {
  const repetition = new Repetition();
  const lines: string[] = [];
  const write = (kind: string, burst: number) =>
    repetition.write({ kind, burst, write: (repeated) => lines.push(`${kind} ${repeated ?? 'once'}`) });
  return { lines, write };
}

const PERIOD = 10_000;

test('P11.7 the first lines of a kind are written, then one per period with how many there were', () => {
  const { lines, write } = writing();
  for (let i = 0; i < 5; i++) write('a', 2);
  write('b', 1);
  expect(lines).toEqual(['a once', 'a once', 'b once']);
  vi.advanceTimersByTime(PERIOD);
  expect(lines.splice(0)).toEqual(['a once', 'a once', 'b once', 'a 3']);
  for (let i = 0; i < 100; i++) write('a', 2);
  expect(lines).toEqual([]);
  vi.advanceTimersByTime(PERIOD);
  expect(lines).toEqual(['a 100']);
});

test('P11.7 what has ceased for a period is written at once when it comes again', () => {
  const { lines, write } = writing();
  for (let i = 0; i < 3; i++) write('a', 1);
  vi.advanceTimersByTime(2 * PERIOD);
  expect(vi.getTimerCount()).toBe(0);
  write('a', 1);
  expect(lines).toEqual(['a once', 'a 2', 'a once']);
});

test('P11.7 kinds without number are counted together', () => {
  const { lines, write } = writing();
  for (let i = 0; i < 10_000; i++) write(String(i), 1);
  expect(lines).toHaveLength(501);
  vi.advanceTimersByTime(PERIOD);
  expect(lines.at(-1)).toMatch(/ 9499$/);
});
