import { describe, expect, test } from 'vitest';
import { linkAddress } from './link-address.ts';

describe('P7.24 a link leads to a page or a mailbox, never into a script', () => {
  test.each([
    ['example.org', 'https://example.org'],
    ['localhost:8080/d/a', 'https://localhost:8080/d/a'],
    [' https://example.org/a?b#c ', 'https://example.org/a?b#c'],
    ['http://example.org', 'http://example.org'],
    ['mailto:ada@example.org', 'mailto:ada@example.org'],
  ])('P7.24 takes %j', (input, address) => {
    expect(linkAddress(input)).toBe(address);
  });

  test.each([
    '',
    '  ',
    'two words',
    'javascript:alert(1)',
    'JaVaScRiPt:alert(1)',
    'data:text/html,x',
    'vbscript:x',
    'file:///etc',
  ])('P7.24 refuses %j', (input) => expect(linkAddress(input)).toBeUndefined());
});
