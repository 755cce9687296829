import { defineConfig } from '@playwright/test';
import { findChromium } from '@weft/harness';

const executablePath = findChromium();
if (!executablePath) throw new Error('No Chromium here; run `npm run setup`');

/**
 * A second switch replaces Playwright's, so this repeats what that has for pages like ours, and adds the first two:
 * with them every window runs suggestions below an address bar that nobody sees, at 0.8 s of CPU each.
 */
const DISABLED_FEATURES = [
  'WebUIOmniboxPopup',
  'WebUIOmniboxAimPopup',
  'AimEnabled',
  'AvoidUnnecessaryBeforeUnloadCheckSync',
  'DestroyProfileOnBrowserClose',
  'HttpsFirstBalancedModeAutoEnable',
  'HttpsUpgrades',
  'LensOverlay',
  'MediaRouter',
  'NetworkTimeServiceQuerying',
  'OptimizationHints',
  'PaintHolding',
  'PreconnectToSearch',
];

export default defineConfig({
  testDir: './browser',
  testMatch: '**/*.spec.ts',
  outputDir: '../test-results',
  // The longest file would else be finished by one worker while the others have nothing left.
  fullyParallel: true,
  // Two leave two cores idle for more than half of the time: pages wait for servers, and servers for people.
  workers: 3,
  retries: 0,
  timeout: 120_000,
  expect: { timeout: 20_000 },
  reporter: [
    ['list'],
    ['json', { outputFile: process.env.PLAYWRIGHT_JSON_OUTPUT_FILE ?? '../test-results/report.json' }],
  ],
  use: {
    browserName: 'chromium',
    trace: 'off',
    video: 'off',
    screenshot: 'only-on-failure',
    launchOptions: {
      executablePath,
      args: [
        '--no-sandbox',
        '--disable-gpu',
        '--disable-dev-shm-usage',
        '--disable-background-networking',
        '--disable-component-update',
        '--disable-sync',
        `--disable-features=${DISABLED_FEATURES.join(',')}`,
        '--no-first-run',
      ],
    },
  },
});
