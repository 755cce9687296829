import { accessSync, constants, existsSync, readdirSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/** Debian keeps servers in `sbin`, off an ordinary user's PATH; Homebrew's place differs by processor. */
const MORE_DIRECTORIES = ['/usr/sbin', '/usr/local/bin', '/opt/homebrew/bin'];

const CHROMIUM_NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];
const CHROMIUM_APPLICATIONS = [
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
];

/** Where versioned Postgres servers live: Debian's layout, then Homebrew's. */
const POSTGRES_ROOTS = [
  { root: '/usr/lib/postgresql', version: /^(\d+)$/ },
  { root: '/opt/homebrew/opt', version: /^postgresql@(\d+)$/ },
  { root: '/usr/local/opt', version: /^postgresql@(\d+)$/ },
];

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** The path of the first of these programs that the system has. */
export function findProgram(...names: string[]): string | undefined {
  const directories = [...(process.env.PATH ?? '').split(delimiter).filter(Boolean), ...MORE_DIRECTORIES];
  for (const name of names) {
    const found = directories.map((directory) => join(directory, name)).find(isExecutable);
    if (found) return found;
  }
  return undefined;
}

/** A Chromium that Playwright can drive. */
export function findChromium(): string | undefined {
  return findProgram(...CHROMIUM_NAMES) ?? CHROMIUM_APPLICATIONS.find(isExecutable);
}

/**
 * The directory of a Postgres server's programs: the one that `WEFT_E2E_POSTGRES` names, else of the newest that is
 * installed; Debian keeps them off the PATH.
 */
export function findPostgresPrograms(): string | undefined {
  if (process.env.WEFT_E2E_POSTGRES) return process.env.WEFT_E2E_POSTGRES;
  const versioned = POSTGRES_ROOTS.filter(({ root }) => existsSync(root)).flatMap(({ root, version }) =>
    readdirSync(root).flatMap((name) => {
      const match = version.exec(name);
      return match ? [{ number: Number(match[1]), directory: join(root, name, 'bin') }] : [];
    }),
  );
  const newest = versioned
    .sort((a, b) => b.number - a.number)
    .find(({ directory }) => isExecutable(join(directory, 'initdb')));
  if (newest) return newest.directory;
  const initdb = findProgram('initdb');
  return initdb && join(initdb, '..');
}
