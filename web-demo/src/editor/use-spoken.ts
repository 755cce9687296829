import { useState } from 'react';
import type { Status } from '../session/status.ts';

/**
 * What a screen reader says of the status by itself. Each pause in one's writing is saved, and would be announced into the
 * echo of one's own words: being saved is news only after something else was said.
 */
export function useSpoken(status: Status): string {
  const [spoken, setSpoken] = useState('');
  const next = spokenAfter(spoken, status);
  if (next !== spoken) setSpoken(next);
  return next;
}

export function spokenAfter(before: string, { kind, label }: Status): string {
  if (kind === 'saving') return before;
  return kind === 'saved' && before === '' ? '' : label;
}
