import { until } from '@weft/harness';
import { expect, test } from 'vitest';
import { CarriedLooks } from './carried-looks.ts';
import type { LiveDocument } from '../document/live-document.ts';

const document = {} as LiveDocument;

test('P1.22 what waits is looked at once for many reasons, never twice at a time, and again for what came meanwhile', async () => {
  let looks = 0;
  let running = 0;
  let most = 0;
  const gate = Promise.withResolvers<void>();
  const carried = new CarriedLooks(async () => {
    looks++;
    most = Math.max(most, ++running);
    await gate.promise;
    running--;
  });
  for (let reason = 0; reason < 50; reason++) carried.soon(document);
  await until(() => looks === 1, { interval: 1 });
  carried.now(document);
  carried.soon(document);
  gate.resolve();
  await until(() => looks === 2, { interval: 1 });
  expect(most).toBe(1);
});

test('P7.13 looking takes a bounded share of the time, however much waits', async () => {
  let looks = 0;
  const began = performance.now();
  const carried = new CarriedLooks(async () => {
    looks++;
    // As many edits as take 20 ms to go through.
    const end = performance.now() + 20;
    while (performance.now() < end);
  });
  await until(
    () => {
      carried.soon(document);
      return performance.now() - began > 1_000;
    },
    { interval: 1 },
  );
  expect(looks).toBeGreaterThan(1);
  expect(looks).toBeLessThanOrEqual(6);
});
