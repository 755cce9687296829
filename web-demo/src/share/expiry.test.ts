import { expect, test } from 'vitest';
import { EXPIRIES, expiryAfter, withExpiry } from './expiry.ts';

test('P3.28 a grant ends when its label says', () => {
  const now = new Date('2026-01-01T12:00:00Z');
  expect(EXPIRIES.map(({ label, value }) => [label, expiryAfter(value, now)])).toEqual([
    ['No end', undefined],
    ['For an hour', '2026-01-01T13:00:00.000Z'],
    ['For a day', '2026-01-02T12:00:00.000Z'],
    ['For a week', '2026-01-08T12:00:00.000Z'],
    ['For 30 days', '2026-01-31T12:00:00.000Z'],
  ]);
  expect(withExpiry('editor', null)).toEqual({ role: 'editor' });
  expect(withExpiry('editor', '2026-01-01T13:00:00.000Z')).toMatchObject({
    expiresAt: '2026-01-01T13:00:00.000Z',
  });
});
