import { globSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';

const REPOSITORY = resolve(import.meta.dirname, '..');
const PACKAGES = '{extensions,server,web-demo,e2e,bench,scripts}';
/** A port with several implementations has its tests in a suite that all of them run. */
const TESTS = [`${PACKAGES}/**/*.{test,spec}.ts`, `${PACKAGES}/**/testing/*contract.ts`];
const UNPROVED = '## Not yet proved';

/** The rules of docs/SPEC.md, in its order. */
function rulesIn(markdown: string): string[] {
  return [...markdown.matchAll(/^- \*\*(P\d+\.\d+)\*\* \S/gm)].map(([, rule = '']) => rule);
}

/** Rules that the titles of tests begin with, and the files that name them. */
function rulesInTests(): Map<string, Set<string>> {
  const exclude = (path: string) => /(^|\/)(node_modules|dist)(\/|$)/.test(path);
  const found = new Map<string, Set<string>>();
  for (const path of globSync(TESTS, { cwd: REPOSITORY, exclude })) {
    const titles = readFileSync(join(REPOSITORY, path), 'utf8').matchAll(
      /['"`](P\d+\.\d+(?: P\d+\.\d+)*) \S/g,
    );
    for (const rule of [...titles].flatMap(([, rules = '']) => rules.split(' '))) {
      found.set(rule, (found.get(rule) ?? new Set()).add(path));
    }
  }
  return found;
}

describe('P10.17 the specification and the tests name the same rules', () => {
  const [stated = '', unproved = ''] = readFileSync(join(REPOSITORY, 'docs/SPEC.md'), 'utf8').split(UNPROVED);
  const tested = rulesInTests();

  test('P10.17 every title names a rule that is stated', () => {
    const known = new Set([...rulesIn(stated), ...rulesIn(unproved)]);
    const unknown = [...tested].filter(([rule]) => !known.has(rule));
    expect(unknown.map(([rule, paths]) => `${rule} in ${[...paths].join(', ')}`)).toEqual([]);
  });

  test('P10.17 every rule that is stated as proved has a test', () => {
    expect(rulesIn(stated).filter((rule) => !tested.has(rule))).toEqual([]);
  });

  test('P10.17 no rule that has a test is called not yet proved', () => {
    expect(rulesIn(unproved).filter((rule) => tested.has(rule))).toEqual([]);
  });

  test('P10.17 every rule has one number, counted from 1 below its promise', () => {
    const rules = [...rulesIn(stated), ...rulesIn(unproved)];
    const counted = rules.map((rule) => rule.split('.') as [string, string]);
    for (const promise of new Set(counted.map(([name]) => name))) {
      const numbers = counted.filter(([name]) => name === promise).map(([, number]) => Number(number));
      expect(
        numbers.toSorted((a, b) => a - b),
        promise,
      ).toEqual(numbers.map((_, index) => index + 1));
    }
  });
});
