import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Patience, PATIENCE_MS, type Wait } from './patience.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const saving = (unsyncedChanges: number): Wait => ({ kind: 'saving', unsyncedChanges });
const saved: Wait = { kind: 'saved', unsyncedChanges: 0 };

test('P1.24 whoever waits longer than saving takes is told so, until all is saved', () => {
  const ended = vi.fn();
  const patience = new Patience(ended);
  expect(patience.follow(saving(1))).toBe(false);
  vi.advanceTimersByTime(PATIENCE_MS - 1);
  expect(patience.follow(saving(2))).toBe(false);
  vi.advanceTimersByTime(1);
  expect(ended).toHaveBeenCalledOnce();
  expect(patience.follow(saving(3))).toBe(true);
  expect(patience.follow(saved)).toBe(false);
  vi.advanceTimersByTime(2 * PATIENCE_MS);
  expect(ended).toHaveBeenCalledOnce();
});

test('P1.24 not who types without a pause while the server keeps up', () => {
  const ended = vi.fn();
  const patience = new Patience(ended);
  for (let second = 0; second < 30; second++) {
    patience.follow(saving(2));
    vi.advanceTimersByTime(1_000);
    patience.follow(saving(1));
  }
  expect(ended).not.toHaveBeenCalled();
});

test('P1.24 a provider that connects anew has not saved anything by that', () => {
  const ended = vi.fn();
  const patience = new Patience(ended);
  patience.follow(saving(5));
  for (let second = 0; second < PATIENCE_MS / 1_000; second++) {
    patience.follow({ kind: 'connecting', unsyncedChanges: 1 });
    vi.advanceTimersByTime(1_000);
  }
  expect(ended).toHaveBeenCalledOnce();
  expect(patience.follow(saving(1))).toBe(true);
});

test('P1.24 nor is what it counts when it is back the smaller for what was saved', () => {
  const ended = vi.fn();
  const patience = new Patience(ended);
  patience.follow({ kind: 'connecting', unsyncedChanges: 5 });
  vi.advanceTimersByTime(PATIENCE_MS - 1);
  patience.follow(saving(1));
  vi.advanceTimersByTime(1);
  expect(ended).toHaveBeenCalledOnce();
});
