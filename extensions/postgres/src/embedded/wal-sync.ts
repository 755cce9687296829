import { open, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';

const SEGMENT = /^[0-9A-F]{24}$/;
/** A file's time of change comes from a clock that ticks every few milliseconds: two writes may have the same. */
const COARSE_CLOCK_MS = 50;

/**
 * Makes what was written to the write-ahead log survive a power failure. PGlite runs with fsync off, so a commit is
 * in the operating system's cache only. Calls that come while a sync runs share the next one.
 */
export class WalSync {
  private readonly directory: string;
  /** When each was last changed, as of its last sync; nothing, where a later write may have the same time. */
  private readonly synced = new Map<string, number | undefined>();
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

  /** Times of change are compared for being the same, not for being earlier: the clock may be set back. */
  private async syncSegment(name: string): Promise<void> {
    const path = join(this.directory, name);
    const { mtimeMs } = await stat(path);
    if (this.synced.get(name) === mtimeMs) return;
    const settled = Date.now() - mtimeMs > COARSE_CLOCK_MS;
    const file = await open(path, 'r+');
    try {
      await file.datasync();
    } finally {
      await file.close();
    }
    if (!this.synced.has(name)) await this.syncDirectory();
    this.synced.set(name, settled ? mtimeMs : undefined);
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
