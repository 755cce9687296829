import { systemClock } from '@weft/common';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { MemoryBoard } from './board.ts';
import { Reporter, type ReportSources } from './reporter.ts';

const sources: ReportSources = {
  state: () => 'ready',
  redis: () => 'none',
  stats: () => ({ connections: 0, sessions: 0, documents: 0 }),
  openDocuments: () => [],
  heads: async () => new Map(),
  series: async () => ({ updates: 0, commits: [{ bound: Infinity, count: 0 }] }),
};

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

async function postsOf(seconds: number, board: MemoryBoard): Promise<number> {
  const post = vi.spyOn(board, 'post');
  await vi.advanceTimersByTimeAsync(seconds * 1_000);
  const { length } = post.mock.calls;
  post.mockRestore();
  return length;
}

test('P12.11 an instance reports every second while somebody looks, and seldom otherwise', async () => {
  const board = new MemoryBoard();
  const reporter = new Reporter({ instance: 'a', version: '1', sources, board, clock: systemClock });
  await reporter.start();
  expect(await postsOf(30, board)).toBe(10);
  await board.list();
  // The next report is the first to learn of it.
  await vi.advanceTimersByTimeAsync(3_000);
  expect(await postsOf(5, board)).toBe(5);
  await vi.advanceTimersByTimeAsync(10_000);
  expect(await postsOf(30, board)).toBe(10);
  await reporter.stop();
  expect(await postsOf(10, board)).toBe(0);
});
