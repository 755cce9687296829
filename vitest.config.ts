import { defineConfig } from 'vitest/config';

const source = {
  resolve: { conditions: ['weft-source', 'module', 'node', 'development|production'] },
  ssr: { resolve: { conditions: ['weft-source', 'module', 'node', 'development|production'] } },
};

/**
 * A process loads what it tests once, not once per file: 0.6 s of CPU for each of more than a hundred files. No
 * module keeps anything from which one file could tell that another ran before it.
 */
const together = { isolate: false, maxWorkers: 2 };

/** Each file breaks servers of its own, and mostly waits for them. */
const breaking = { testTimeout: 240_000, hookTimeout: 120_000 };

/** The suffix of a test file says what it needs, and so which project runs it. */
export default defineConfig({
  test: {
    reporters: ['default'],
    projects: [
      {
        ...source,
        test: {
          name: 'unit',
          include: [
            '{extensions/*,server,web-demo}/src/**/*.test.ts',
            'e2e/harness/src/**/*.test.ts',
            'bench/src/**/*.test.ts',
            'scripts/**/*.test.ts',
          ],
          exclude: ['**/*.{pg,redis,clock}.test.ts', '**/dist/**', '**/node_modules/**'],
          testTimeout: 20_000,
          ...together,
        },
      },
      {
        ...source,
        test: {
          // What it tests is loaded under a clock that the file sets, which must not be anybody else's.
          name: 'unit-clock',
          include: ['{extensions/*,server}/src/**/*.clock.test.ts'],
          exclude: ['**/dist/**', '**/node_modules/**'],
        },
      },
      {
        ...source,
        test: {
          name: 'services',
          include: ['{extensions/*,server}/src/**/*.{pg,redis}.test.ts'],
          exclude: ['**/dist/**', '**/node_modules/**'],
          globalSetup: ['./e2e/harness/src/global-setup.ts'],
          testTimeout: 30_000,
          hookTimeout: 60_000,
          ...together,
        },
      },
      {
        ...source,
        test: {
          name: 'process',
          include: ['e2e/process/**/*.test.ts'],
          globalSetup: ['./e2e/harness/src/global-setup.ts'],
          ...breaking,
          // They mostly wait for one server to start, or to come back.
          maxWorkers: 2,
        },
      },
      {
        ...source,
        test: {
          name: 'cluster',
          include: ['e2e/cluster/**/*.test.ts'],
          ...breaking,
          // A third cluster beside two on two cores would leave a revoke no second to act in everywhere.
          maxWorkers: 2,
        },
      },
    ],
  },
});
