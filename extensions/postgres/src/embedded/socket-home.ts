import { lstatSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

const PREFIX = 'weft-pglite-';
export const SOCKET_PORT = 5432;
/** As `pg` looks for it. */
export const SOCKET_FILE = `.s.PGSQL.${SOCKET_PORT}`;
/** A process that has only just made its folder may not listen there yet. */
const YOUNG_MS = 60_000;

/** A folder for the engine's socket, whose path a socket address has room for: about 100 bytes, so not the data directory. */
export function makeSocketHome(): string {
  return mkdtempSync(join(tmpdir(), PREFIX));
}

/**
 * To be called right before listening. An engine that had no time to close has left its socket behind, and where it takes
 * long to start another server may have taken the folder for abandoned.
 */
export function makeWay(socket: string): void {
  mkdirSync(dirname(socket), { recursive: true, mode: 0o700 });
  rmSync(socket, { force: true });
}

/**
 * Removes the folders that processes of this user have left behind, which were killed. Asks the socket whether anybody is
 * there, and not the system for the process: a container that shares the folder has numbers of its own.
 */
export async function removeAbandonedHomes(): Promise<void> {
  for (const name of readdirSync(tmpdir())) {
    if (!name.startsWith(PREFIX)) continue;
    const home = join(tmpdir(), name);
    if (isOwnAndOld(home) && (await isAbandoned(join(home, SOCKET_FILE)))) {
      rmSync(home, { recursive: true, force: true });
    }
  }
}

function isOwnAndOld(home: string): boolean {
  const found = lstatSync(home, { throwIfNoEntry: false });
  if (!found?.isDirectory() || found.uid !== process.getuid?.()) return false;
  return Date.now() - found.mtimeMs > YOUNG_MS;
}

/** Nobody listens at the socket, or there is none. */
function isAbandoned(socket: string): Promise<boolean> {
  return new Promise((resolve) => {
    const line = connect(socket);
    line.once('connect', () => {
      line.destroy();
      resolve(false);
    });
    line.once('error', ({ code }: NodeJS.ErrnoException) => {
      resolve(code === 'ECONNREFUSED' || code === 'ENOENT');
    });
  });
}
