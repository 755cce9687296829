import { expect, test } from 'vitest';
import { databaseTrouble } from './database-trouble.ts';

const failure = (code?: string) =>
  Object.assign(new Error('relation "secret" at 10.0.0.1'), code && { code });

test.each([
  [undefined, 'the database does not answer'],
  ['ECONNREFUSED', 'the database does not answer'],
  // Of five characters, too.
  ['EPIPE', 'the database does not answer'],
  ['53100', 'the disk of the database is full'],
  ['28P01', 'the database refuses the login'],
  ['XX000', 'the database refuses with SQLSTATE XX000'],
])('P1.16 %s is said to be: %s', (code, words) => {
  expect(databaseTrouble(failure(code))).toBe(words);
});
