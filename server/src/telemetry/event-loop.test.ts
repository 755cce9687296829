import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { watchEventLoop } from './event-loop.ts';

const SECOND = 1_000;

function block(milliseconds: number): void {
  for (const end = performance.now() + milliseconds; performance.now() < end;);
}

test('P12.20 the longest turn of the event loop is told, once', async () => {
  const turns = watchEventLoop();
  await delay(150);
  block(SECOND);
  await delay(150);
  const seen = turns();
  expect(seen.max).toBeGreaterThan(0.85);
  expect(seen.mean).toBeLessThanOrEqual(seen.max);
  await delay(150);
  expect(turns().max).toBeLessThan(seen.max);
});

test('P12.20 waiting for something to do is no turn', async () => {
  const turns = watchEventLoop();
  const longest: number[] = [];
  for (let wait = 0; wait < 3; wait++) {
    await delay(SECOND);
    longest.push(turns().max);
  }
  // A busy machine may hold one of them up.
  expect(Math.min(...longest)).toBeLessThan(0.85);
});
