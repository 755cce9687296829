import { join } from 'node:path';
import { expect, test } from 'vitest';
import { judge, parsePlaywright, parseVitest } from './counts.ts';

const vitestReport = (fields: object) =>
  JSON.stringify({
    numPassedTests: 3,
    numFailedTests: 0,
    numPendingTests: 0,
    numTodoTests: 0,
    testResults: [],
    ...fields,
  });

const inVitest = (fullName: string, status: string, ...failureMessages: string[]) => ({
  fullName,
  status,
  failureMessages,
});

const playwrightReport = (fields: object) =>
  JSON.stringify({
    stats: { expected: 5, unexpected: 0, flaky: 0, skipped: 0 },
    errors: [],
    suites: [],
    ...fields,
  });

const inPlaywright = (title: string, status: string, ...messages: string[]) => ({
  file: 'crash.spec.ts',
  title,
  tests: [{ status, results: [{ errors: messages.map((message) => ({ message })) }] }],
});

test('P10.9 skipped and planned tests count as failed', () => {
  const report = vitestReport({ numPendingTests: 2, numTodoTests: 1 });
  expect(parseVitest(report)).toMatchObject({ passed: 3, failed: 3 });
});

test('P10.9 a test file that could not be loaded counts as failed, one with a failed test not twice', () => {
  const file = { name: 'a.test.ts', message: '' };
  const report = vitestReport({
    numFailedTests: 1,
    testResults: [
      { ...file, status: 'failed', assertionResults: [] },
      { ...file, status: 'failed', assertionResults: [inVitest('a', 'failed'), inVitest('b', 'passed')] },
      { ...file, status: 'passed', assertionResults: [inVitest('c', 'passed')] },
    ],
  });
  expect(parseVitest(report)).toMatchObject({ passed: 3, failed: 2 });
});

test('P10.9 a flaky browser test has failed', () => {
  const stats = { expected: 5, unexpected: 1, flaky: 1, skipped: 1 };
  const report = playwrightReport({ stats, errors: [{ message: 'setup broke' }] });
  expect(parsePlaywright(report)).toMatchObject({ passed: 5, failed: 4 });
});

test('P10.9 a suite that ran nothing has failed, and so has one whose runner says so', () => {
  const outcome = (passed: number, failed: number) => ({ passed, failed, failures: [] });
  expect(judge(outcome(0, 0), 0)).toMatchObject({ passed: 0, failed: 1, failures: [{}] });
  expect(judge(outcome(7, 0), 1)).toMatchObject({ passed: 7, failed: 1, failures: [{}] });
  expect(judge(outcome(7, 2), 1)).toEqual(outcome(7, 2));
  expect(judge(outcome(7, 0), 0)).toEqual(outcome(7, 0));
});

test('P10.9 what failed is named, with the first line of its error', () => {
  const path = join(process.cwd(), 'e2e/process/kill.test.ts');
  const report = vitestReport({
    testResults: [
      {
        name: path,
        status: 'failed',
        message: '',
        assertionResults: [
          inVitest('P1.8 kill -9', 'failed', '\u001b[31mError: lost 2\u001b[39m\n    at kill.test.ts:7'),
          inVitest('P1.9 stop', 'passed'),
          inVitest('P1.10 pause', 'skipped'),
        ],
      },
      { name: path, status: 'failed', message: 'No such module\nstack', assertionResults: [] },
    ],
  });
  expect(parseVitest(report).failures).toEqual([
    { test: 'e2e/process/kill.test.ts: P1.8 kill -9', error: 'Error: lost 2' },
    { test: 'e2e/process/kill.test.ts: P1.10 pause', error: 'skipped' },
    { test: 'e2e/process/kill.test.ts', error: 'No such module' },
  ]);
});

test('P10.9 what failed in the browser is named, however deep', () => {
  const report = playwrightReport({
    errors: [{ message: 'setup broke' }],
    suites: [
      {
        specs: [inPlaywright('P1.8 kill -9', 'unexpected', 'Error: not saved\n\nDetails', 'Error: later')],
        suites: [{ specs: [inPlaywright('P8.1 moved', 'expected'), inPlaywright('P8.2 told', 'skipped')] }],
      },
    ],
  });
  expect(parsePlaywright(report).failures).toEqual([
    { test: 'outside of the tests', error: 'setup broke' },
    { test: 'crash.spec.ts: P1.8 kill -9', error: 'Error: not saved' },
    { test: 'crash.spec.ts: P8.2 told', error: 'skipped' },
  ]);
});
