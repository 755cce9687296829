import { describe, expect, test } from 'vitest';
import { ConcurrencyGate } from './gate.ts';
import { KeyedBuckets } from './keyed-buckets.ts';
import { KeyedCounter } from './keyed-counter.ts';
import { TokenBucket } from './token-bucket.ts';

function manualClock() {
  let time = 1_000_000;
  return { now: () => time, pass: (ms: number) => (time += ms) };
}

describe('P7.19 a token bucket', () => {
  test('P7.19 lets a burst through and then the rate', () => {
    const clock = manualClock();
    const bucket = new TokenBucket({ rate: 10, burst: 3, clock });
    expect([bucket.take(), bucket.take(), bucket.take(), bucket.take()]).toEqual([true, true, true, false]);
    clock.pass(100);
    expect([bucket.take(), bucket.take()]).toEqual([true, false]);
    clock.pass(60_000);
    expect(bucket.take(3)).toBe(true);
    expect(bucket.take()).toBe(false);
  });

  test('P7.19 loses nothing when the clock is set back', () => {
    const clock = manualClock();
    const bucket = new TokenBucket({ rate: 1, burst: 2, clock });
    clock.pass(-500_000);
    expect(bucket.take(2)).toBe(true);
    expect(bucket.take()).toBe(false);
    clock.pass(1_000);
    expect(bucket.take()).toBe(true);
  });

  test('P7.19 a debit can go below zero and is paid back first', () => {
    const clock = manualClock();
    const bucket = new TokenBucket({ rate: 1, burst: 1, clock });
    bucket.debit(3);
    clock.pass(2_000);
    expect(bucket.take()).toBe(false);
    clock.pass(1_000);
    expect(bucket.take()).toBe(true);
  });
});

test('P7.19 a keyed counter caps each key by itself', () => {
  const counter = new KeyedCounter(2);
  expect([counter.acquire('a'), counter.acquire('a'), counter.acquire('a'), counter.acquire('b')]).toEqual([
    true,
    true,
    false,
    true,
  ]);
  counter.release('a');
  expect(counter.acquire('a')).toBe(true);
});

describe('P7.19 a bucket per key', () => {
  test('P7.19 bounds each key by itself, lets a heap through once, and is paid back afterwards', () => {
    const clock = manualClock();
    const buckets = new KeyedBuckets({ rate: 1, burst: 3, clock });
    expect([buckets.admit('a'), buckets.admit('a', 7), buckets.admit('a'), buckets.admit('b')]).toEqual([
      true,
      true,
      false,
      true,
    ]);
    clock.pass(5_000);
    expect(buckets.admit('a')).toBe(false);
    clock.pass(1_000);
    expect(buckets.admit('a')).toBe(true);
  });

  test('P7.19 says whether one is used up, and makes none for that', () => {
    const clock = manualClock();
    const buckets = new KeyedBuckets({ rate: 1, burst: 2, clock });
    expect([buckets.isEmpty('a'), buckets.size]).toEqual([false, 0]);
    buckets.debit('a', 2);
    expect([buckets.isEmpty('a'), buckets.isEmpty('b')]).toEqual([true, false]);
    clock.pass(1_000);
    expect(buckets.isEmpty('a')).toBe(false);
  });

  test('P7.19 keeps so many, and forgets those that were not asked for longest', () => {
    const buckets = new KeyedBuckets({ rate: 1, burst: 1, clock: manualClock(), maxKeys: 2 });
    expect([buckets.admit('a'), buckets.admit('b'), buckets.admit('a'), buckets.admit('c')]).toEqual([
      true,
      true,
      false,
      true,
    ]);
    expect([buckets.admit('a'), buckets.admit('b')]).toEqual([false, true]);
  });
});

test('P7.19 P12.17 a bucket per key is dropped when it is full again, since it says nothing then', () => {
  const clock = manualClock();
  const buckets = new KeyedBuckets({ rate: 1, burst: 1, clock });
  for (let key = 0; key < 100; key++) buckets.admit(`early ${key}`);
  clock.pass(1_000);
  for (let key = 0; key < 100; key++) buckets.admit(`late ${key}`);
  expect(buckets.size).toBe(100);
  expect(buckets.admit('late 0')).toBe(false);
});

test('P7.19 P12.17 a bucket per key that is not full yet is kept', () => {
  const buckets = new KeyedBuckets({ rate: 1, burst: 2, clock: manualClock() });
  expect(['a', 'b', 'c', 'd'].map((key) => buckets.admit(key))).toEqual([true, true, true, true]);
  expect([buckets.admit('a'), buckets.admit('a')]).toEqual([true, false]);
});

describe('P7.19 a concurrency gate', () => {
  test('P7.19 runs so many at once, queues so many, refuses the rest with a code', async () => {
    const gate = new ConcurrencyGate({ concurrency: 1, queue: 1, refusal: 'load-busy' });
    let finish!: () => void;
    const first = gate.run(() => new Promise<void>((resolve) => (finish = resolve)));
    const order: string[] = [];
    const second = gate.run(async () => void order.push('second'));
    await expect(gate.run(async () => undefined)).rejects.toMatchObject({ code: 'load-busy' });
    expect(order).toEqual([]);
    finish();
    await Promise.all([first, second]);
    expect(order).toEqual(['second']);
  });

  test('P7.19 a failing task gives its place back', async () => {
    const gate = new ConcurrencyGate({ concurrency: 1, queue: 0, refusal: 'load-busy' });
    await expect(gate.run(() => Promise.reject(new Error('no')))).rejects.toThrow('no');
    await expect(gate.run(async () => 7)).resolves.toBe(7);
  });
});
