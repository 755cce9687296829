import { afterEach, describe, expect, test, vi } from 'vitest';
import { claimsScope, demoTokens } from './tokens.ts';

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

function tokenWith(claims: object): string {
  return `header.${btoa(JSON.stringify(claims))}.signature`;
}

describe('the scopes that a token claims', () => {
  test('P3.31 are a list, or words', () => {
    expect(claimsScope(tokenWith({ scope: 'create admin' }), 'admin')).toBe(true);
    expect(claimsScope(tokenWith({ scope: ['admin'] }), 'admin')).toBe(true);
  });

  test('P3.31 are none in any other form, and never a part of a word', () => {
    for (const scope of [undefined, 'administrator', { admin: true }, ['no-admin'], '']) {
      expect(claimsScope(tokenWith({ scope }), 'admin')).toBe(false);
    }
    expect(claimsScope('no token', 'admin')).toBe(false);
  });
});

test('P3.4 a demo token is fetched anew before the one in hand ends', async () => {
  vi.useFakeTimers({ now: 1_800_000_000_000, toFake: ['Date'] });
  const lifetime = 60;
  const fetched = vi.fn(async () => {
    const exp = Date.now() / 1_000 + lifetime;
    return Response.json({ token: tokenWith({ sub: 'ada', exp, n: fetched.mock.calls.length }) });
  });
  vi.stubGlobal('fetch', fetched);
  const token = demoTokens({ sub: 'ada', name: 'Ada', color: '#0ea5e9', groups: [] });
  const first = await token();
  vi.setSystemTime(Date.now() + 44_000);
  expect(await token()).toBe(first);
  vi.setSystemTime(Date.now() + 1_000);
  expect(await token()).not.toBe(first);
  expect(await token({ fresh: true })).toBeDefined();
  expect(fetched).toHaveBeenCalledTimes(3);
});
