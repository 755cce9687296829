import { expect, test } from 'vitest';
import { LateGoodbyes } from './late-goodbyes.ts';

test('P9.25 so many questions who is there are remembered, the newest', () => {
  const goodbyes = new LateGoodbyes(2);
  for (const address of ['a', 'b', 'a', 'c']) goodbyes.ask(address);
  expect(['a', 'b', 'c'].filter((address) => goodbyes.isAsked(address))).toEqual(['a', 'c']);
  goodbyes.settle('a');
  goodbyes.ask('d');
  expect(['c', 'd'].every((address) => goodbyes.isAsked(address))).toBe(true);
});
