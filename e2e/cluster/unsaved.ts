import { until } from '@weft/harness';
import { expect } from 'vitest';
import type { Writers } from '../shared/writers.ts';
import type { Crowd } from './crowd.ts';

type Groups = readonly Writers[];

const sum = (numbers: readonly number[]) => numbers.reduce((a, b) => a + b, 0);
const editsOf = (groups: Groups) => sum(groups.map(({ edits }) => edits));
const acknowledgedOf = (groups: Groups) => sum(groups.map(({ acknowledgedCount }) => acknowledgedCount));

/** People go on typing, whatever becomes of it. */
export async function moreEdits(groups: Groups, more: number): Promise<void> {
  const target = editsOf(groups) + more;
  await until(() => editsOf(groups) >= target, { timeout: 20_000, what: `${more} more edits` });
}

/** With the log away people go on and see each other on their own instance, and none is told that anything is saved. */
export async function expectNothingSaved(crowd: Crowd, groups: Groups, when: string): Promise<void> {
  // Answers that were on their way.
  await moreEdits(groups, groups.length * 30);
  const acknowledged = acknowledgedOf(groups);
  await Promise.all(
    groups.map((group) => {
      const mark = `${when}, from ${group.prefix}`;
      crowd.say(mark, group);
      return crowd.heard(mark, [group]);
    }),
  );
  await moreEdits(groups, groups.length * 30);
  expect(acknowledgedOf(groups)).toBe(acknowledged);
}
