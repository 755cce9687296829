import { expect, test } from 'vitest';
import { runHonestSession } from './testing/honest.ts';
import { runHostileSession } from './testing/hostile.ts';
import { fuzz } from './testing/fuzz.ts';

const SECONDS = 12;

test(
  'P3.18 P7.15 the analysis agrees with what really happens, on honest and forged updates',
  { timeout: 60_000 },
  () => {
    const seed = Date.now() % 1_000_000;
    console.log(`guard fuzz, seed ${seed}`);
    const counts = fuzz({ seed, seconds: SECONDS });
    console.log(`guard fuzz: ${JSON.stringify(counts)}`);
    expect(counts.honest).toBeGreaterThan(0);
    expect(counts.accepted).toBeGreaterThan(0);
    // One in thousands.
    expect(counts.rebuilds).toBeLessThan(5);
  },
);

test.each([343, 300, 2])('P3.18 an honest session that once failed, seed %i', (seed) => {
  const counts = { honest: 0, rebuilds: 0 };
  runHonestSession(seed, counts);
  expect(counts.honest).toBeGreaterThan(0);
  expect(counts.rebuilds).toBe(0);
});

test('P7.14 what Yjs’ own undo puts in an impossible order is no offence: its author rebuilds', () => {
  const counts = { honest: 0, rebuilds: 0 };
  runHonestSession(500_126, counts);
  expect(counts.rebuilds).toBe(1);
});

test.each([13, 143])('P7.15 forged updates that once got through, seed %i', (seed) => {
  const counts = { forged: 0, accepted: 0 };
  runHostileSession(seed, counts);
  expect(counts.accepted).toBeGreaterThan(0);
});
