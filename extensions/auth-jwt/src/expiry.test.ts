import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { watchExpiry } from './expiry.ts';

const DAY = 86_400_000;

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test('P3.3 a token that lasts for longer than a timer can wait ends at its exp, and wakes nobody up meanwhile', () => {
  const begun = Date.now();
  const told: [what: string, days: number][] = [];
  const tell = (what: string) => () => void told.push([what, (Date.now() - begun) / DAY]);
  watchExpiry({
    clock: { now: () => Date.now() },
    expiresAt: begun + 60 * DAY,
    lead: DAY,
    onSoon: tell('soon'),
    onExpired: tell('expired'),
  });
  vi.advanceTimersToNextTimer();
  expect(Date.now() - begun).toBe(2 ** 31 - 1);
  vi.advanceTimersByTime(90 * DAY);
  expect(told).toEqual([
    ['soon', 59],
    ['expired', 60],
  ]);
});
