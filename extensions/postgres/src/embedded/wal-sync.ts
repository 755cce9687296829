import { open, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';

const SEGMENT = /^[0-9A-F]{24}$/;
/** A file's time of change comes from a clock that ticks every few milliseconds: it may lie before its write. */
const COARSE_CLOCK_MS = 50;

/**
 * Makes what was written to the write-ahead log survive a power failure. PGlite runs with fsync off, so a commit is
 * in the operating system's cache only. Calls that come while a sync runs share the next one.
 */
export class WalSync {
  private readonly directory: string;
  private readonly synced = new Map<string, number>();
  private running: Promise<void> | undefined;
  private next: Promise<void> | undefined;

  constructor(dataDir: string) {
    this.directory = join(dataDir, 'pg_wal');
  }

  sync(): Promise<void> {
    if (this.next) return this.next;
    if (!this.running) return (this.running = this.run());
    const after = this.running
      .catch(() => undefined)
      .then(() => {
        this.next = undefined;
        this.running = this.run();
        return this.running;
      });
    return (this.next = after);
  }

  private async run(): Promise<void> {
    try {
      const names = (await readdir(this.directory)).filter((name) => SEGMENT.test(name));
      for (const name of this.synced.keys()) if (!names.includes(name)) this.synced.delete(name);
      await Promise.all(names.map((name) => this.syncSegment(name)));
    } finally {
      this.running = undefined;
    }
  }

  private async syncSegment(name: string): Promise<void> {
    const path = join(this.directory, name);
    const { mtimeMs } = await stat(path);
    const last = this.synced.get(name);
    if (last !== undefined && mtimeMs + COARSE_CLOCK_MS < last) return;
    const started = Date.now();
    const file = await open(path, 'r+');
    try {
      await file.datasync();
    } finally {
      await file.close();
    }
    if (last === undefined) await this.syncDirectory();
    this.synced.set(name, started);
  }

  /** A new segment's name must survive too. Windows has no way to ask for it, and keeps it in its journal. */
  private async syncDirectory(): Promise<void> {
    if (process.platform === 'win32') return;
    const directory = await open(this.directory, 'r');
    try {
      await directory.sync();
    } finally {
      await directory.close();
    }
  }
}
