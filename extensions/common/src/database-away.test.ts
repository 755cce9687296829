import { expect, test } from 'vitest';
import { isDatabaseAway } from './database-away.ts';

const withCode = (code: string) => Object.assign(new Error('failed'), { code });

test.each([
  new Error('Connection terminated unexpectedly'),
  new Error('timeout exceeded when trying to connect'),
  withCode('ECONNREFUSED'),
  withCode('57P03'),
  withCode('08006'),
  withCode('25006'),
  withCode('40P01'),
  withCode('55P03'),
])('P1.16 %o means that the database is away', (error) => {
  expect(isDatabaseAway(error)).toBe(true);
});

test.each([withCode('23505'), withCode('ERR_INVALID_ARG_TYPE'), new Error('something else'), 'a string'])(
  'P1.16 %o is no sign of an absent database',
  (error) => {
    expect(isDatabaseAway(error)).toBe(false);
  },
);
