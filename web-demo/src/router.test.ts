import { describe, expect, test } from 'vitest';
import { documentPath, routeOf } from './router.ts';

describe('P9.13 every document has an address', () => {
  test.each(['plain', 'with space', 'a/b', 'ünï', 'per%cent', 'q?x#y'])('P9.13 %j', (name) => {
    expect(routeOf(documentPath(name))).toEqual({ page: 'document', name });
  });

  test.each(['/d/', '/d/a/b', '/x', '/d/%E0%A4%A'])('P9.13 there is nothing at %s', (path) => {
    expect(routeOf(path)).toEqual({ page: 'unknown' });
  });

  test('P9.13 the list is at the root', () => {
    expect(routeOf('/')).toEqual({ page: 'start' });
  });
});
