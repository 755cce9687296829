import { mkdirSync, readFileSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';

const FILE = 'lock';
const HEARTBEAT_MS = 5_000;
/** A holder on another host (a container on the same volume) counts as gone when its heart stood still so long. */
const FOREIGN_STALE_MS = 30_000;

interface Holder {
  readonly pid: number;
  readonly host: string;
  /** Tells a process from a later one with the same pid. Linux: clock ticks from boot to its start. */
  readonly started: string;
}

/** Another process uses the data directory. */
export class DirectoryLockedError extends Error {
  override readonly name = 'DirectoryLockedError';
  readonly pid: number;

  constructor(directory: string, holder: Holder) {
    super(
      `The data directory ${directory} is in use by process ${holder.pid} on ${holder.host}. ` +
        'Stop that process, use another directory, or give both processes a Postgres server.',
    );
    this.pid = holder.pid;
  }
}

/**
 * Takes the directory for this process: PGlite itself lets a second process in, and both then overwrite each
 * other's pages. Resolves to the function that gives it back.
 */
export function lockDirectory(directory: string): () => void {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const path = join(directory, FILE);
  const mine: Holder = { pid: process.pid, host: hostname(), started: startOf(process.pid) };
  claim(directory, path, mine);
  const heartbeat = setInterval(() => touch(path), HEARTBEAT_MS);
  heartbeat.unref();
  return () => {
    clearInterval(heartbeat);
    rmSync(path, { force: true });
  };
}

function claim(directory: string, path: string, mine: Holder): void {
  for (let attempt = 0; attempt < 5; attempt++) {
    try {
      writeFileSync(path, JSON.stringify(mine), { flag: 'wx', mode: 0o600 });
      return;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
    const holder = read(path);
    if (holder && isAlive(holder, path)) throw new DirectoryLockedError(directory, holder);
    // A rename, not a deletion: of two processes that find the stale file only one moves it away.
    const aside = `${path}.stale-${process.pid}`;
    try {
      renameSync(path, aside);
      rmSync(aside, { force: true });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
  }
  throw new Error(`The lock of the data directory ${directory} changes hands too often.`);
}

function read(path: string): Holder | undefined {
  try {
    const value = JSON.parse(readFileSync(path, 'utf8')) as Partial<Holder>;
    if (typeof value.pid !== 'number' || typeof value.host !== 'string') return undefined;
    return { pid: value.pid, host: value.host, started: value.started ?? '' };
  } catch {
    return undefined;
  }
}

function isAlive(holder: Holder, path: string): boolean {
  if (holder.host !== hostname()) return Date.now() - statSync(path).mtimeMs < FOREIGN_STALE_MS;
  try {
    process.kill(holder.pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
  return holder.started === startOf(holder.pid);
}

/** Field 22 of `/proc/<pid>/stat`, counted after the command's closing bracket; empty on other systems. */
function startOf(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '';
  } catch {
    return '';
  }
}

function touch(path: string): void {
  const now = new Date();
  try {
    utimesSync(path, now, now);
  } catch {
    // Somebody removed the file: nothing to keep fresh, and nothing here to repair.
  }
}
