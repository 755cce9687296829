import { lookup } from 'node:dns/promises';
import { expect, test } from 'vitest';
import { reasonOf } from './reason.ts';

test('P10.3 a name that has no address is said to be that of HOST, or of the database', async () => {
  const name = 'nowhere.invalid';
  const error: unknown = await lookup(name).catch((failure: unknown) => failure);
  expect(reasonOf(error, { host: name, port: 8080 })).toContain('Change HOST');
  expect(reasonOf(error, { host: '127.0.0.1', port: 8080 })).toContain('the database cannot be reached');
});
