import { expect, test } from 'vitest';
import { localCopyName } from './local-copy.ts';

test('P3.23 no two people share a copy on a device, whatever they and their documents are called', () => {
  expect(localCopyName('ada', 'plan')).not.toBe(localCopyName('bob', 'plan'));
  expect(localCopyName('ada', 'plan')).not.toBe(localCopyName('ada', 'notes'));
  expect(localCopyName('a:b', 'c')).not.toBe(localCopyName('a', 'b:c'));
  expect(localCopyName('a%3Ab', 'c')).not.toBe(localCopyName('a:b', 'c'));
});
