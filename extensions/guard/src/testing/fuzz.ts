import { type HonestCounts, runHonestSession } from './honest.ts';
import { type HostileCounts, runHostileSession } from './hostile.ts';

export interface FuzzOptions {
  readonly seed: number;
  readonly seconds: number;
}

export type FuzzCounts = HonestCounts & HostileCounts;

/** Runs honest and hostile sessions in turn. A failure names the seed of its session, which runs it again alone. */
export function fuzz({ seed, seconds }: FuzzOptions): FuzzCounts {
  const counts = { honest: 0, rebuilds: 0, forged: 0, accepted: 0 };
  const end = performance.now() + seconds * 1_000;
  for (let next = seed; performance.now() < end; next++) {
    try {
      runHonestSession(next, counts);
      runHostileSession(next, counts);
    } catch (error) {
      throw new Error(`seed ${next} fails`, { cause: error });
    }
  }
  return counts;
}
