import { describe, expect, test } from 'vitest';
import { endOfAuthentication, endOfClose, needsFreshCopy } from './endings.ts';

describe('P9.12 the editor knows which endings are for good', () => {
  test.each([
    ['access-removed', false],
    ['document-not-found', false],
    ['forbidden', false],
    ['permissions-unavailable', true],
    ['server-draining', true],
    ['internal', true],
  ])('P9.12 refused with %s', (code, retryable) => {
    expect(endOfAuthentication(code)).toMatchObject({ code, retryable });
  });

  test('P9.12 a stock server answers in prose', () => {
    expect(endOfAuthentication('permission denied!')).toMatchObject({ code: 'forbidden', retryable: false });
  });

  test('P9.12 a document that was open before and is not found now has been taken away', () => {
    const before = { role: 'editor', writesText: true, writesComments: true, manages: false };
    expect(endOfAuthentication('document-not-found', before).code).toBe('access-removed');
    expect(endOfAuthentication('document-not-found').code).toBe('document-not-found');
  });

  test('P9.12 a token that could not be fetched is tried again', () => {
    const reason = 'Failed to get token during sendToken(): TypeError: Failed to fetch';
    expect(endOfAuthentication(reason).retryable).toBe(true);
  });

  test('P9.12 only close codes 4400 to 4499 with an error code end a session', () => {
    expect(endOfClose({ code: 4416, reason: 'document-rebuild' })?.code).toBe('document-rebuild');
    expect(endOfClose({ code: 4500, reason: 'server-draining' })).toBeUndefined();
    expect(endOfClose({ code: 1006, reason: '' })).toBeUndefined();
    // The provider says so itself when a connection went silent, and then reconnects.
    expect(endOfClose({ code: 4408, reason: 'forced' })).toBeUndefined();
  });

  test('P9.12 a refused copy is replaced by a fresh one', () => {
    expect(needsFreshCopy({ code: 'document-rebuild', message: '', retryable: false })).toBe(true);
    expect(needsFreshCopy({ code: 'access-removed', message: '', retryable: false })).toBe(false);
  });
});
