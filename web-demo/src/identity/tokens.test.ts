import { describe, expect, test } from 'vitest';
import { claimsScope } from './tokens.ts';

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
