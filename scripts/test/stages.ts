import { parsePlaywright, parseVitest, type Counts } from './counts.ts';

/**
 * One part of `npm test`. A `check` passes or fails as a whole and counts as one test; a `suite` leaves a JSON
 * report that says how many tests it ran.
 */
export type Stage = {
  readonly name: string;
  readonly what: string;
  readonly command: readonly string[];
  /** Not run, and failed, when one of these failed: its result would say nothing. */
  readonly needs?: readonly string[];
} & ({ readonly kind: 'check' } | { readonly kind: 'suite'; readonly parse: (report: string) => Counts });

/** Replaced in commands by the file that the stage's reporter has to write. */
export const REPORT = '{report}';

function vitest(name: string, what: string, needs: readonly string[] = []): Stage {
  return {
    name,
    what,
    needs,
    kind: 'suite',
    command: [
      'vitest',
      'run',
      '--project',
      name,
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
  vitest('unit', 'tests without services'),
  vitest('services', 'tests with a real Postgres and Redis'),
  vitest('process', 'the built server, killed for real', ['build']),
  vitest('cluster', 'several of them behind a load balancer, with real faults', ['build']),
  {
    name: 'browser',
    what: 'the demo in Chromium',
    needs: ['build'],
    kind: 'suite',
    command: ['playwright', 'test', '--config', 'e2e/playwright.config.ts'],
    parse: parsePlaywright,
  },
];
