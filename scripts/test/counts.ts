/** How many tests of a stage passed and failed. What was skipped has not passed, so it counts as failed. */
export interface Counts {
  readonly passed: number;
  readonly failed: number;
}

interface VitestReport {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numPendingTests: number;
  readonly numTodoTests: number;
  readonly testResults: readonly {
    readonly status: string;
    readonly assertionResults: readonly { readonly status: string }[];
  }[];
}

interface PlaywrightReport {
  readonly stats: {
    readonly expected: number;
    readonly unexpected: number;
    readonly flaky: number;
    readonly skipped: number;
  };
  readonly errors: readonly unknown[];
}

/** A file that failed as a whole (an import that throws) has no failed test to be counted by. */
export function parseVitest(report: string): Counts {
  const { numPassedTests, numFailedTests, numPendingTests, numTodoTests, testResults } = JSON.parse(
    report,
  ) as VitestReport;
  const brokenFiles = testResults.filter(
    ({ status, assertionResults }) =>
      status === 'failed' && !assertionResults.some((assertion) => assertion.status === 'failed'),
  );
  return {
    passed: numPassedTests,
    failed: numFailedTests + numPendingTests + numTodoTests + brokenFiles.length,
  };
}

/** A flaky test has failed at least once. */
export function parsePlaywright(report: string): Counts {
  const { stats, errors } = JSON.parse(report) as PlaywrightReport;
  return { passed: stats.expected, failed: stats.unexpected + stats.flaky + stats.skipped + errors.length };
}

/** The runner's exit code has the last word, and a suite that ran nothing proved nothing. */
export function judge({ passed, failed }: Counts, exitCode: number | null): Counts {
  const nothingRan = passed + failed === 0;
  const failedUnseen = exitCode !== 0 && failed === 0;
  return { passed, failed: nothingRan || failedUnseen ? failed + 1 : failed };
}
