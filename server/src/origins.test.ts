import { describe, expect, test } from 'vitest';
import { LOCAL_ORIGINS, isOriginPattern, matchesOrigin } from './origins.ts';

describe('P9.11 origins', () => {
  test.each(['*', 'https://a.example', 'http://localhost:5173', 'http://localhost:*', 'http://[::1]:*'])(
    'P9.11 %s can be allowed',
    (pattern) => expect(isOriginPattern(pattern)).toBe(true),
  );

  test.each(['localhost:*', 'https://a.example/path', 'https://*.example', 'ftp://a.example', ':*', ''])(
    'P9.11 %s cannot be allowed',
    (pattern) => expect(isOriginPattern(pattern)).toBe(false),
  );

  test.each(['http://localhost', 'http://localhost:5173', 'http://127.0.0.1:3000', 'http://[::1]:80'])(
    'P9.11 %s is a page of this machine',
    (origin) => expect(matchesOrigin(origin, LOCAL_ORIGINS)).toBe(true),
  );

  test.each([
    'http://localhost.evil.example',
    'http://localhost:5173.evil.example',
    'http://localhost:80@evil.example',
    'https://evil.example',
    'null',
  ])('P9.11 %s is none', (origin) => expect(matchesOrigin(origin, LOCAL_ORIGINS)).toBe(false));
});
