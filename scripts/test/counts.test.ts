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

test('P10.9 skipped and planned tests count as failed', () => {
  const report = vitestReport({ numPendingTests: 2, numTodoTests: 1 });
  expect(parseVitest(report)).toEqual({ passed: 3, failed: 3 });
});

test('P10.9 a test file that could not be loaded counts as failed, one with a failed test not twice', () => {
  const report = vitestReport({
    numFailedTests: 1,
    testResults: [
      { status: 'failed', assertionResults: [] },
      { status: 'failed', assertionResults: [{ status: 'failed' }, { status: 'passed' }] },
      { status: 'passed', assertionResults: [{ status: 'passed' }] },
    ],
  });
  expect(parseVitest(report)).toEqual({ passed: 3, failed: 2 });
});

test('P10.9 a flaky browser test has failed', () => {
  const stats = { expected: 5, unexpected: 1, flaky: 1, skipped: 1 };
  expect(parsePlaywright(JSON.stringify({ stats, errors: ['setup broke'] }))).toEqual({
    passed: 5,
    failed: 4,
  });
});

test('P10.9 a suite that ran nothing has failed, and so has one whose runner says so', () => {
  expect(judge({ passed: 0, failed: 0 }, 0)).toEqual({ passed: 0, failed: 1 });
  expect(judge({ passed: 7, failed: 0 }, 1)).toEqual({ passed: 7, failed: 1 });
  expect(judge({ passed: 7, failed: 2 }, 1)).toEqual({ passed: 7, failed: 2 });
  expect(judge({ passed: 7, failed: 0 }, 0)).toEqual({ passed: 7, failed: 0 });
});
