import type { Random } from './random.ts';

/** Where varints, lengths and flags change their meaning. */
const EDGES = [0, 127, 128, 255] as const;

/** A copy with a few bytes changed, now and then cut short or with something after its end. */
export function broken(bytes: Uint8Array, random: Random): Uint8Array {
  const copy = bytes.slice();
  for (let left = 1 + random.integer(4); left > 0 && copy.length > 0; left--) {
    copy[random.integer(copy.length)] = random.chance(0.2) ? random.integer(256) : random.pick(EDGES);
  }
  const how = random.next();
  if (how < 0.2) return copy.subarray(0, random.integer(copy.length + 1));
  if (how < 0.3) return Uint8Array.of(...copy, ...random.bytes(random.integer(20)));
  return copy;
}
