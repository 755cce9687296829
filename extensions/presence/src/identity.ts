import type { Principal } from '@weft/common';

/** What the server says about a person in every awareness state, in the form editors' carets read. */
export type StampedUser = {
  readonly id: string;
  readonly name: string;
  /** A CSS hex colour. */
  readonly color: string;
};

/** Readable with white text on top, and apart from each other. */
const COLORS = [
  '#b91c1c',
  '#c2410c',
  '#a16207',
  '#4d7c0f',
  '#15803d',
  '#0f766e',
  '#0369a1',
  '#1d4ed8',
  '#6d28d9',
  '#a21caf',
  '#be185d',
  '#475569',
] as const;

const stamps = new WeakMap<Principal, StampedUser>();

/** One object per principal: a cursor move by a hundred people makes no garbage for it. */
export function stampedUser(principal: Principal): StampedUser {
  const known = stamps.get(principal);
  if (known) return known;
  const { user, name, color } = principal;
  const stamp = { id: user, name: name ?? user, color: color ?? colorOf(user) };
  stamps.set(principal, stamp);
  return stamp;
}

/** The same person has the same colour on every instance without anybody keeping it. */
function colorOf(user: string): string {
  let hash = 0;
  for (let i = 0; i < user.length; i++) hash = (Math.imul(hash, 31) + user.charCodeAt(i)) | 0;
  return COLORS[Math.abs(hash) % COLORS.length]!;
}
