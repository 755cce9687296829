import { describe, expect, test } from 'vitest';
import { readFileSync } from 'node:fs';
import { endOfAuthentication, endOfClose, forgetsLocalCopy, messageOf, needsFreshCopy } from './endings.ts';

/** Answers to REST, to a page of another site, and to one change that is taken back: none ends a session of the editor. */
const BESIDE_THE_SESSION = new Set([
  'write-forbidden',
  'root-forbidden',
  'origin-forbidden',
  'bad-request',
  'update-costly',
  'document-exists',
  'role-unknown',
  'subject-invalid',
  'last-owner',
  'too-many-grants',
  'too-many-roles',
  'cursor-epoch',
  'cursor-pruned',
  'not-found',
  'method-not-allowed',
]);

function documentedErrors(): { code: string; retryable: boolean }[] {
  const page = readFileSync(new URL('../../../docs/ERRORS.md', import.meta.url), 'utf8');
  return [...page.matchAll(/^\| `([a-z-]+)` .*\| (yes|no) /gm)].map(([, code = '', retry]) => ({
    code,
    retryable: retry === 'yes',
  }));
}

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

  test('P9.12 only close codes 4400 to 4499 with an error code end a session, and what is too big for the server', () => {
    expect(endOfClose({ code: 1009, reason: '' })).toMatchObject({
      code: 'frame-too-large',
      retryable: false,
    });
    expect(endOfClose({ code: 4416, reason: 'document-rebuild' })?.code).toBe('document-rebuild');
    expect(endOfClose({ code: 4500, reason: 'server-draining' })).toBeUndefined();
    expect(endOfClose({ code: 1006, reason: '' })).toBeUndefined();
    // The provider says so itself when a connection went silent, and then reconnects.
    expect(endOfClose({ code: 4408, reason: 'forced' })).toBeUndefined();
  });

  test('P9.12 a refused copy is replaced by a fresh one', () => {
    expect(needsFreshCopy({ code: 'document-rebuild', message: '', retryable: false })).toBe(true);
    expect(needsFreshCopy({ code: 'document-too-large', message: '', retryable: false })).toBe(true);
    expect(needsFreshCopy({ code: 'access-removed', message: '', retryable: false })).toBe(false);
  });

  test.each([
    ['access-removed', true],
    ['document-deleted', true],
    ['document-rebuild', false],
    ['token-expired', false],
    ['server-draining', false],
  ])('P3.22 of what may not be seen any more the device keeps no copy: %s', (code, forgets) => {
    expect(forgetsLocalCopy({ code, message: '', retryable: false })).toBe(forgets);
  });

  test.each(documentedErrors())('P9.12 $code as it is documented', ({ code, retryable }) => {
    expect(endOfClose({ code: 4400, reason: code })).toMatchObject({ code, retryable });
    const hasWords = messageOf(code) !== undefined;
    expect(hasWords).toBe(!retryable && !BESIDE_THE_SESSION.has(code));
  });
});
