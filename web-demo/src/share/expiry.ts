import type { GrantInput } from '../api/types.ts';

const HOUR_MS = 3_600_000;

export const EXPIRIES = [
  { value: 'never', label: 'No end', ms: undefined },
  { value: 'hour', label: 'For an hour', ms: HOUR_MS },
  { value: 'day', label: 'For a day', ms: 24 * HOUR_MS },
  { value: 'week', label: 'For a week', ms: 7 * 24 * HOUR_MS },
  { value: 'month', label: 'For 30 days', ms: 30 * 24 * HOUR_MS },
] as const;

/** ISO 8601; `undefined` for a grant without end. */
export function expiryAfter(value: string, now: Date): string | undefined {
  const ms = EXPIRIES.find((expiry) => expiry.value === value)?.ms;
  return ms === undefined ? undefined : new Date(now.getTime() + ms).toISOString();
}

export function withExpiry(role: string, expiresAt: string | null | undefined): GrantInput {
  return expiresAt ? { role, expiresAt } : { role };
}
