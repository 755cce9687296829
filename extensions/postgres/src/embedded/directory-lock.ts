import { linkSync, mkdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';

const FILE = 'lock';
const HEARTBEAT_MS = 5_000;
/** A holder on another host (a container on the same volume) counts as gone when its heart stood still so long. */
const FOREIGN_STALE_MS = 30_000;
/** Removing a stale lock takes a millisecond; who has not done it by then has died at it. */
const TURN_STALE_MS = 5_000;
const RETRY_MS = 20;
/** Longer than a turn counts. */
const ATTEMPTS = 500;

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
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    if (create(path, mine)) return;
    const holder = holderOf(read(path));
    if (holder && isAlive(holder, path)) throw new DirectoryLockedError(directory, holder);
    if (!removeStale(path)) pause();
  }
  throw new Error(`The lock of the data directory ${directory} changes hands too often.`);
}

/**
 * Whole from its first moment: one that is there and not yet written would look like what a crash has left.
 *
 * @returns whether there was none
 */
function create(path: string, mine: Holder): boolean {
  const draft = `${path}.new-${mine.pid}`;
  const content = JSON.stringify(mine);
  writeFileSync(draft, content, { mode: 0o600 });
  try {
    linkSync(draft, path);
    return true;
  } catch (error) {
    return !isThere(error) && createUnlinked(path, content);
  } finally {
    rmSync(draft, { force: true });
  }
}

/** Where the file system has no hard links. */
function createUnlinked(path: string, content: string): boolean {
  try {
    writeFileSync(path, content, { flag: 'wx', mode: 0o600 });
    return true;
  } catch (error) {
    if (isThere(error)) return false;
    throw error;
  }
}

/**
 * Removes the lock of a process that is gone. One process does so at a time: between its look and the removal nobody
 * can take the lock, which another removal would then hit.
 *
 * @returns false when it is the turn of another
 */
function removeStale(path: string): boolean {
  const turn = `${path}.turn`;
  if (!takeTurn(turn)) return false;
  try {
    const content = read(path);
    if (content === undefined) return true;
    const holder = holderOf(content);
    if (!holder || !isAlive(holder, path)) rmSync(path, { force: true });
    return true;
  } finally {
    rmSync(turn, { recursive: true, force: true });
  }
}

function takeTurn(turn: string): boolean {
  try {
    mkdirSync(turn);
    return true;
  } catch (error) {
    if (!isThere(error)) throw error;
  }
  const made = statSync(turn, { throwIfNoEntry: false })?.mtimeMs ?? Infinity;
  if (Date.now() - made > TURN_STALE_MS) rmSync(turn, { recursive: true, force: true });
  return false;
}

function isThere(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === 'EEXIST';
}

function pause(): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, RETRY_MS);
}

/** Nothing when it is gone. */
function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

function holderOf(content = ''): Holder | undefined {
  try {
    const value = JSON.parse(content) as Partial<Holder>;
    if (typeof value.pid !== 'number' || typeof value.host !== 'string') return undefined;
    return { pid: value.pid, host: value.host, started: value.started ?? '' };
  } catch {
    return undefined;
  }
}

function isAlive(holder: Holder, path: string): boolean {
  if (holder.host !== hostname()) {
    const beat = statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
    return Date.now() - beat < FOREIGN_STALE_MS;
  }
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
