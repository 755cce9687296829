import { expect, test } from 'vitest';
import type { Status, StatusKind } from '../session/status.ts';
import { spokenAfter } from './use-spoken.ts';

const status = (kind: StatusKind): Status => ({ kind, label: kind, short: kind });

test('P10.27 a screen reader says what goes wrong and when it is well again, and not every pause in one’s writing', () => {
  const course: readonly StatusKind[] = [
    'saving',
    'saved',
    'saving',
    'not-saved',
    'saving',
    'saved',
    'saving',
    'saved',
    'offline',
  ];
  const said: string[] = [];
  for (const kind of course) said.push(spokenAfter(said.at(-1) ?? '', status(kind)));
  expect(said).toEqual(['', '', '', 'not-saved', 'not-saved', 'saved', 'saved', 'saved', 'offline']);
});
