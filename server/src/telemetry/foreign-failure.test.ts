import { connect } from 'node:net';
import { UnusableAnswer, WeftError } from '@weft/common';
import pg from 'pg';
import { expect, test } from 'vitest';
import { foreignFailure } from './foreign-failure.ts';

test('P11.7 of what is away it is said what is wrong there, however deep it lies', () => {
  const refused = Object.assign(new Error('connect ECONNREFUSED 10.0.0.1:5432'), {
    code: 'ECONNREFUSED',
    syscall: 'connect',
  });
  expect(foreignFailure(refused)).toBe('connect ECONNREFUSED 10.0.0.1:5432');
  expect(foreignFailure(new WeftError('permissions-unavailable', { cause: refused }))).toBe(refused.message);
  expect(foreignFailure(new TypeError('fetch failed', { cause: refused }))).toBe(refused.message);
  const answered = new UnusableAnswer('the permission endpoint answered 404');
  expect(foreignFailure(new WeftError('permissions-unavailable', { cause: answered }))).toBe(
    answered.message,
  );
  const full = Object.assign(new pg.DatabaseError('could not extend file', 0, 'error'), { code: '53100' });
  expect(foreignFailure(full)).toBe('could not extend file (53100)');
});

test('P11.7 of a name with several addresses each is told', async () => {
  const error = await new Promise<unknown>((resolve) =>
    connect({
      port: 1,
      host: 'both',
      lookup: (_host, _options, found) =>
        found(null, [
          { address: '127.0.0.1', family: 4 },
          { address: '127.0.0.2', family: 4 },
        ]),
    }).once('error', resolve),
  );
  expect(foreignFailure(error)).toBe('connect ECONNREFUSED 127.0.0.1:1; connect ECONNREFUSED 127.0.0.2:1');
});

test('P11.7 what may be a bug keeps its stack', () => {
  expect(foreignFailure(new TypeError('x is not a function'))).toBeUndefined();
  expect(foreignFailure(new WeftError('internal', { cause: new Error('boom') }))).toBeUndefined();
  const syntax = Object.assign(new pg.DatabaseError('syntax error', 0, 'error'), { code: '42601' });
  expect(foreignFailure(syntax)).toBeUndefined();
  const circular = new Error('round');
  circular.cause = circular;
  expect(foreignFailure(circular)).toBeUndefined();
});
