import { relative } from 'node:path';
import { stripVTControlCharacters } from 'node:util';

/** How many tests of a stage passed and failed. What was skipped has not passed, so it counts as failed. */
export interface Counts {
  readonly passed: number;
  readonly failed: number;
}

/** What has to be looked at after a run that failed. */
export interface Failure {
  /** The file and the test in it, or what else there is to go by. */
  readonly test: string;
  /** The first line of its error. */
  readonly error: string;
}

export interface Outcome extends Counts {
  readonly failures: readonly Failure[];
}

interface VitestReport {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numPendingTests: number;
  readonly numTodoTests: number;
  readonly testResults: readonly VitestFile[];
}

interface VitestFile {
  readonly name: string;
  readonly status: string;
  readonly message: string;
  readonly assertionResults: readonly {
    readonly fullName: string;
    readonly status: string;
    readonly failureMessages: readonly string[];
  }[];
}

interface PlaywrightReport {
  readonly stats: {
    readonly expected: number;
    readonly unexpected: number;
    readonly flaky: number;
    readonly skipped: number;
  };
  readonly errors: readonly PlaywrightError[];
  readonly suites: readonly PlaywrightSuite[];
}

interface PlaywrightSuite {
  readonly suites?: readonly PlaywrightSuite[];
  readonly specs: readonly {
    readonly file: string;
    readonly title: string;
    readonly tests: readonly {
      readonly status: string;
      readonly results: readonly { readonly errors: readonly PlaywrightError[] }[];
    }[];
  }[];
}

interface PlaywrightError {
  readonly message?: string;
}

/** An assertion that shows a whole document would hide the names below it. */
const MAX_ERROR_LENGTH = 300;

function failure(test: string, message: string): Failure {
  const [line = ''] = stripVTControlCharacters(message).trim().split('\n');
  return { test, error: line.slice(0, MAX_ERROR_LENGTH) };
}

/** A file that failed as a whole (an import that throws) has no failed test to be counted by. */
function failedAsAWhole({ status, assertionResults }: VitestFile): boolean {
  return status === 'failed' && !assertionResults.some((assertion) => assertion.status === 'failed');
}

function vitestFailures(file: VitestFile): Failure[] {
  const path = relative(process.cwd(), file.name);
  const tests = file.assertionResults
    .filter(({ status }) => status !== 'passed')
    .map(({ fullName, status, failureMessages: [message = status] }) =>
      failure(`${path}: ${fullName}`, message),
    );
  return failedAsAWhole(file) ? [failure(path, file.message), ...tests] : tests;
}

export function parseVitest(report: string): Outcome {
  const { numPassedTests, numFailedTests, numPendingTests, numTodoTests, testResults } = JSON.parse(
    report,
  ) as VitestReport;
  const brokenFiles = testResults.filter(failedAsAWhole);
  return {
    passed: numPassedTests,
    failed: numFailedTests + numPendingTests + numTodoTests + brokenFiles.length,
    failures: testResults.flatMap(vitestFailures),
  };
}

function playwrightFailures({ suites = [], specs }: PlaywrightSuite): Failure[] {
  const own = specs.flatMap(({ file, title, tests }) =>
    tests
      .filter(({ status }) => status !== 'expected')
      .map(({ status, results }) => {
        const [error] = results.flatMap(({ errors }) => errors);
        return failure(`${file}: ${title}`, error?.message ?? status);
      }),
  );
  return [...own, ...suites.flatMap(playwrightFailures)];
}

/** A flaky test has failed at least once. */
export function parsePlaywright(report: string): Outcome {
  const { stats, errors, suites } = JSON.parse(report) as PlaywrightReport;
  return {
    passed: stats.expected,
    failed: stats.unexpected + stats.flaky + stats.skipped + errors.length,
    failures: [
      ...errors.map(({ message = '' }) => failure('outside of the tests', message)),
      ...suites.flatMap(playwrightFailures),
    ],
  };
}

/** The runner's exit code has the last word, and a suite that ran nothing proved nothing. */
export function judge({ passed, failed, failures }: Outcome, exitCode: number | null): Outcome {
  const unseen = unseenFailure({ passed, failed }, exitCode);
  return unseen === undefined
    ? { passed, failed, failures }
    : { passed, failed: failed + 1, failures: [...failures, failure('the suite as a whole', unseen)] };
}

function unseenFailure({ passed, failed }: Counts, exitCode: number | null): string | undefined {
  if (passed + failed === 0) return 'it ran nothing';
  if (exitCode !== 0 && failed === 0) return exitedWith(exitCode);
  return undefined;
}

/** @param exitCode `null` of what did not end by itself */
export function exitedWith(exitCode: number | null): string {
  return exitCode === null ? 'did not end by itself' : `ended with exit code ${exitCode}`;
}
