import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { untilBeat } from './beat.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function beatsOf(period: number): number[] {
  const beats: number[] = [];
  const beat = () => {
    beats.push(Date.now());
    setTimeout(beat, untilBeat(period));
  };
  setTimeout(beat, untilBeat(period));
  return beats;
}

test('P12.19 periods that begin at any moment are due in the same milliseconds', () => {
  const seconds = beatsOf(1_000);
  vi.advanceTimersByTime(1_234);
  const [others, threes] = [beatsOf(1_000), beatsOf(3_000)];
  vi.advanceTimersByTime(30_000);
  expect(others).toEqual(seconds.slice(-others.length));
  expect(others.length).toBeGreaterThanOrEqual(29);
  expect(threes.length).toBeGreaterThanOrEqual(9);
  expect(threes.filter((at) => !seconds.includes(at))).toEqual([]);
});

test('P12.19 the next beat is never now, and a whole period away at most', () => {
  vi.advanceTimersByTime(untilBeat(1_000));
  expect(untilBeat(1_000)).toBe(1_000);
  vi.advanceTimersByTime(1);
  expect(untilBeat(1_000)).toBe(999);
  vi.advanceTimersByTime(998);
  expect(untilBeat(1_000)).toBe(1);
});
