import { until } from '@weft/harness';
import { expect } from 'vitest';
import type { Writers } from '../shared/writers.ts';
import type { Crowd } from './crowd.ts';

type Groups = readonly Writers[];

const MAX_ROUNDS = 10;

const sum = (numbers: readonly number[]) => numbers.reduce((a, b) => a + b, 0);
const editsOf = (groups: Groups) => sum(groups.map(({ edits }) => edits));
const acknowledgedOf = (groups: Groups) => sum(groups.map(({ acknowledgedCount }) => acknowledgedCount));

/** People go on typing, whatever becomes of it. */
export async function moreEdits(groups: Groups, more: number): Promise<void> {
  const target = editsOf(groups) + more;
  await until(() => editsOf(groups) >= target, { timeout: 20_000, what: `${more} more edits` });
}

/** Answers that were on their way come in, until none comes while people type. @returns how many there are */
async function answersOnTheirWay(groups: Groups): Promise<number> {
  for (let round = 0; round < MAX_ROUNDS; round++) {
    const before = acknowledgedOf(groups);
    await moreEdits(groups, groups.length * 20);
    if (acknowledgedOf(groups) === before) return before;
  }
  throw new Error('With the log away updates are acknowledged on and on');
}

/** With the log away people go on and see each other on their own instance, and none is told that anything is saved. */
export async function expectNothingSaved(crowd: Crowd, groups: Groups, when: string): Promise<void> {
  const acknowledged = await answersOnTheirWay(groups);
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
