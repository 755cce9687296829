import type { CommittedUpdate } from '@weft/common';
import { expect, test } from 'vitest';
import { CommitProgress } from './commit-progress.ts';

test('P2.10 what others have written before is not the newest row that is known', () => {
  const rows = (...seqs: number[]) => seqs.map((seq) => ({ seq }) as CommittedUpdate);
  const progress = new CommitProgress();
  progress.committed(rows(5), 1);
  progress.received(rows(3, 4));
  expect(progress.seq).toBe(5);
  progress.received(rows(6, 7));
  expect(progress.seq).toBe(7);
  progress.received([]);
  expect(progress.seq).toBe(7);
});
