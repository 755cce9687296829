import { defineConfig } from 'vitest/config';

const source = {
  resolve: { conditions: ['weft-source', 'module', 'node', 'development|production'] },
  ssr: { resolve: { conditions: ['weft-source', 'module', 'node', 'development|production'] } },
};

/** Each file breaks servers of its own, and mostly waits for them. */
const breaking = { testTimeout: 240_000, hookTimeout: 120_000, maxWorkers: 2 };

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
          exclude: ['**/*.{pg,redis}.test.ts', '**/dist/**', '**/node_modules/**'],
          testTimeout: 20_000,
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
        },
      },
      {
        ...source,
        test: {
          name: 'process',
          include: ['e2e/process/**/*.test.ts'],
          globalSetup: ['./e2e/harness/src/global-setup.ts'],
          ...breaking,
        },
      },
      {
        ...source,
        test: {
          name: 'cluster',
          include: ['e2e/cluster/**/*.test.ts'],
          ...breaking,
        },
      },
    ],
  },
});
