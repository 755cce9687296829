import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { everyBeat } from './beat.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function beatsOf(period: number): { readonly beats: number[]; readonly stop: () => void } {
  const beats: number[] = [];
  const stop = everyBeat(period, () => void beats.push(Date.now()));
  return { beats, stop };
}

test('P12.19 periods that begin at any moment are due in the same milliseconds', () => {
  const { beats: seconds } = beatsOf(1_000);
  vi.advanceTimersByTime(1_234);
  const [{ beats: others }, { beats: threes }] = [beatsOf(1_000), beatsOf(3_000)];
  vi.advanceTimersByTime(30_000);
  expect(others).toEqual(seconds.slice(-others.length));
  expect(others.length).toBeGreaterThanOrEqual(29);
  expect(threes.length).toBeGreaterThanOrEqual(9);
  expect(threes.filter((at) => !seconds.includes(at))).toEqual([]);
});

test('P12.19 the next beat is never now, and a whole period away at most', () => {
  const { beats } = beatsOf(1_000);
  vi.advanceTimersToNextTimer();
  const { beats: others } = beatsOf(1_000);
  vi.advanceTimersByTime(999);
  expect([beats.length, others.length]).toEqual([1, 0]);
  vi.advanceTimersByTime(1);
  expect([beats.length, others.length]).toEqual([2, 1]);
});

test('P12.19 a beat that comes while the one before is under way is left out, and the period may change', async () => {
  let period = 1_000;
  const under: (() => void)[] = [];
  everyBeat(
    () => period,
    () => new Promise<void>((resolve) => under.push(resolve)),
  );
  await vi.advanceTimersByTimeAsync(5_000);
  expect(under).toHaveLength(1);
  period = 60_000;
  under[0]!();
  // Not a moment later: beats of a minute may be due in the next millisecond.
  await vi.advanceTimersByTimeAsync(0);
  expect(vi.getTimerCount()).toBe(1);
  await vi.advanceTimersByTimeAsync(60_000);
  expect(under).toHaveLength(2);
});

test('P12.19 no beat comes after they were stopped, also not while one was under way', async () => {
  const { beats, stop } = beatsOf(1_000);
  vi.advanceTimersToNextTimer();
  stop();
  let finish = () => {};
  const stopOther = everyBeat(1_000, () => new Promise<void>((resolve) => (finish = resolve)));
  vi.advanceTimersToNextTimer();
  stopOther();
  finish();
  await vi.advanceTimersByTimeAsync(5_000);
  expect([beats.length, vi.getTimerCount()]).toEqual([1, 0]);
});
