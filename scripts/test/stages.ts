import { parsePlaywright, parseVitest, type Outcome } from './counts.ts';

interface StageOptions {
  readonly name: string;
  readonly what: string;
  readonly command: readonly string[];
}

/** Passes or fails as a whole and counts as one test. */
export interface Check extends StageOptions {
  readonly kind: 'check';
}

/** Leaves a JSON report that says how many tests it ran. */
export interface Suite extends StageOptions {
  readonly kind: 'suite';
  readonly parse: (report: string) => Outcome;
  /** Checks without which its result would say nothing: not run, and failed, when one of them failed. */
  readonly needs: readonly string[];
  /** The suite at whose side it runs: both wait for most of their time. */
  readonly beside?: string;
}

/** One part of `npm test`. */
export type Stage = Check | Suite;

/** Replaced in commands by the file that the stage's reporter has to write. */
export const REPORT = '{report}';

function vitest({ name, ...options }: Pick<Suite, 'name' | 'what' | 'needs' | 'beside'>): Suite {
  return {
    ...options,
    name,
    kind: 'suite',
    command: [
      'vitest',
      'run',
      '--project',
      // Also what needs a place of its own, such as `unit-clock`.
      `${name}*`,
      '--reporter=default',
      '--reporter=json',
      `--outputFile=${REPORT}`,
    ],
    parse: parseVitest,
  };
}

/** In the order in which a mistake is found soonest. */
export const STAGES: readonly Stage[] = [
  { name: 'format', what: 'Prettier', kind: 'check', command: ['npm', 'run', '-s', 'format:check'] },
  { name: 'types', what: 'TypeScript', kind: 'check', command: ['npm', 'run', '-s', 'types'] },
  { name: 'lint', what: 'ESLint with types', kind: 'check', command: ['npm', 'run', '-s', 'lint'] },
  { name: 'deps', what: 'the direction of imports', kind: 'check', command: ['npm', 'run', '-s', 'deps'] },
  { name: 'build', what: 'server and demo', kind: 'check', command: ['npm', 'run', '-s', 'build'] },
  vitest({ name: 'unit', what: 'tests without services', needs: [] }),
  vitest({ name: 'services', what: 'tests with a real Postgres and Redis', needs: [] }),
  vitest({ name: 'process', what: 'the built server, killed for real', needs: ['build'] }),
  vitest({
    name: 'cluster',
    what: 'several of them behind a load balancer, with real faults',
    needs: ['build'],
    beside: 'process',
  }),
  {
    name: 'browser',
    what: 'the demo in Chromium',
    needs: ['build'],
    kind: 'suite',
    command: ['playwright', 'test', '--config', 'e2e/playwright.config.ts'],
    parse: parsePlaywright,
  },
];
