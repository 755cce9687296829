import { expect, test } from 'vitest';
import { Window } from './window.ts';

const bounds = [0.001, 0.01, 0.1, Infinity];
const reading = (at: number, updates: number, commits: number[]) => ({ at, updates, cpu: at * 500, commits });

test('P12.5 rates are of the window, not of the whole life of the process', () => {
  const window = new Window({ span: 2_000, bounds });
  window.add(reading(0, 1_000, [0, 0, 0, 0]));
  window.add(reading(1_000, 1_000, [0, 0, 0, 0]));
  window.add(reading(2_000, 1_050, [0, 0, 0, 0]));
  window.add(reading(3_000, 1_060, [0, 0, 0, 0]));
  expect(window.updatesPerSecond).toBe(30);
  expect(window.cpu).toBe(0.5);
});

test('P12.5 quantiles are interpolated in their bucket', () => {
  const window = new Window({ span: 5_000, bounds });
  window.add(reading(0, 0, [100, 100, 100, 100]));
  expect(window.commitQuantile(0.5)).toBeNull();
  window.add(reading(1_000, 0, [100, 180, 200, 200]));
  // 80 of the 100 commits took 1 to 10 ms, 20 took 10 to 100 ms.
  expect(window.commitQuantile(0.5)).toBeCloseTo(0.001 + 0.009 * (50 / 80));
  expect(window.commitQuantile(0.99)).toBeCloseTo(0.01 + 0.09 * (19 / 20));
});

test('P12.5 what took longer than the last bound is said to have taken at least that', () => {
  const window = new Window({ span: 5_000, bounds });
  window.add(reading(0, 0, [0, 0, 0, 0]));
  window.add(reading(1_000, 0, [0, 0, 0, 4]));
  expect(window.commitQuantile(0.99)).toBe(0.1);
});

test('P12.5 a single reading says nothing yet', () => {
  const window = new Window({ span: 5_000, bounds });
  expect([window.updatesPerSecond, window.cpu, window.commitQuantile(0.5)]).toEqual([0, 0, null]);
});
