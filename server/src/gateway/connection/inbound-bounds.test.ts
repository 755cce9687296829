import { expect, test } from 'vitest';
import { refusedTokens } from './inbound-bounds.ts';

test('P7.26 an address has so many wrong tokens a minute, not a second', () => {
  let now = 0;
  const refused = refusedTokens({ refusedTokensPerMinute: 5 }, { now: () => now });
  for (let token = 0; token < 5; token++) refused.debit('192.0.2.1', 1);
  now += 11_999;
  expect(refused.isEmpty('192.0.2.1')).toBe(true);
  now += 1;
  expect(refused.isEmpty('192.0.2.1')).toBe(false);
});
