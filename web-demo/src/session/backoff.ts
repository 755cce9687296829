const FIRST_MS = 400;
const LONGEST_MS = 15_000;

/** Milliseconds to wait before the next attempt: doubling, capped, with jitter so that clients spread out. */
export function backoff(attempt: number): number {
  return Math.min(LONGEST_MS, FIRST_MS * 2 ** attempt) * (0.5 + Math.random());
}
