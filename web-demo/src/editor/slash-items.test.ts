import { expect, test } from 'vitest';
import { slashItems } from './slash-items.ts';

const labels = (query: string, inTable = false): string[] =>
  slashItems({ query, inTable }).map(({ label }) => label);

test('P9.27 blocks are found by the beginnings of their names, in any order, and by other words for them', () => {
  expect(labels('')).toHaveLength(11);
  expect(labels('head')).toEqual(['Heading 1', 'Heading 2', 'Heading 3']);
  expect(labels('2 HEAD')).toEqual(['Heading 2']);
  expect(labels('h3')).toEqual(['Heading 3']);
  expect(labels('todo')).toEqual(['Task list']);
  expect(labels('li')).toEqual(['Bullet list', 'Numbered list', 'Task list', 'Divider']);
  expect(labels('rows')).toEqual(['Table']);
  expect(labels('rows', true)).toEqual([]);
  expect(labels('usr')).toEqual([]);
});
