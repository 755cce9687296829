import { describe, expect, test } from 'vitest';
import { parseServerEvent } from './server-event.ts';

describe('P9.9 events of the server are told from stateless messages of others', () => {
  test.each([
    { weft: 'access', role: 'editor', writable: '*', manage: false },
    { weft: 'access', role: 'commenter', writable: ['comments'], manage: false },
    { weft: 'refused', code: 'write-forbidden', message: 'No.', repaired: true },
    { weft: 'closed', code: 'access-removed', message: 'Gone.', retryable: false },
  ])('P9.9 takes $weft', (event) => {
    expect(parseServerEvent(JSON.stringify(event))).toEqual(event);
  });

  test.each([
    '',
    'hello',
    'null',
    '[]',
    '"access"',
    '{}',
    '{"weft":"other"}',
    '{"weft":"access"}',
    '{"weft":"access","role":"editor","writable":[1],"manage":true}',
    '{"weft":"closed","code":"x","message":"y"}',
  ])('P9.9 leaves %j', (payload) => {
    expect(parseServerEvent(payload)).toBeUndefined();
  });
});
