import { execFileSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  realpathSync,
  rmSync,
  symlinkSync,
  utimesSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLogger } from '@weft/common';
import { until } from '@weft/harness';
import { expect, onTestFinished, test, vi } from 'vitest';
import { openDatabase } from '../index.ts';
import { makeSocketHome, removeAbandonedHomes, SOCKET_FILE } from './socket-home.ts';

/** A temporary directory of the test's own. */
function ownTmp(): string {
  const own = mkdtempSync(join(realpathSync(tmpdir()), 'weft-homes-'));
  vi.stubEnv('TMPDIR', own);
  onTestFinished(() => {
    vi.unstubAllEnvs();
    rmSync(own, { recursive: true, force: true });
  });
  return own;
}

const HOUR_S = 3_600;

function age(path: string): string {
  const then = Date.now() / 1000 - HOUR_S;
  utimesSync(path, then, then);
  return path;
}

async function listenIn(home: string): Promise<void> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(join(home, SOCKET_FILE), resolve));
  onTestFinished(() => void server.close());
}

/** A process that listens, and is killed. */
function abandonedHome(): string {
  const home = makeSocketHome();
  const program = `require('net').createServer().listen(process.argv[1], () => process.kill(process.pid, 'SIGKILL'))`;
  expect(() => execFileSync(process.execPath, ['-e', program, join(home, SOCKET_FILE)])).toThrow();
  expect(existsSync(join(home, SOCKET_FILE))).toBe(true);
  return home;
}

test('P1.7 an engine whose folder was taken for abandoned while it started has one all the same', async () => {
  const own = ownTmp();
  const dataDir = join(own, 'data');
  const opening = openDatabase({ dataDir, logger: silentLogger });
  const homes = () => readdirSync(own).filter((name) => name.startsWith('weft-pglite-'));
  await until(() => homes().length === 1);
  for (const home of homes()) rmSync(join(own, home), { recursive: true });
  const database = await opening;
  const { rows } = await database.pool.query('SELECT 1 AS one');
  expect(rows).toEqual([{ one: 1 }]);
  await database.close();
  expect(homes()).toEqual([]);
});

test('P1.7 what a killed process left in the temporary directory is removed by the next, and nobody else’s', async () => {
  const own = ownTmp();
  const dead = [age(abandonedHome()), age(makeSocketHome())];
  const living = makeSocketHome();
  await listenIn(living);
  age(living);
  const beginning = makeSocketHome();
  const others = join(own, 'something-else');
  mkdirSync(others);
  age(others);
  const elsewhere = join(own, 'target');
  mkdirSync(elsewhere);
  symlinkSync(elsewhere, join(own, 'weft-pglite-link'));
  age(elsewhere);

  await Promise.all([removeAbandonedHomes(), removeAbandonedHomes()]);
  expect(dead.filter((home) => existsSync(home))).toEqual([]);
  for (const kept of [living, beginning, others, elsewhere, join(own, 'weft-pglite-link')]) {
    expect(existsSync(kept), kept).toBe(true);
  }
});
