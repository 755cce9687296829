import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

/** The time of day of a process, which a test sets. */
export interface JumpingClock {
  /** Gives a process this clock. */
  readonly env: Readonly<Record<string, string>>;
  /** @param ahead milliseconds of the machine's clock */
  set(ahead: number): void;
  close(): void;
}

export function jumpingClock(): JumpingClock {
  const directory = mkdtempSync(join(tmpdir(), 'weft-clock-'));
  const file = join(directory, 'ahead');
  const set = (ahead: number) => writeFileSync(file, String(ahead));
  set(0);
  const preload = pathToFileURL(join(import.meta.dirname, 'jumping-clock-preload.ts')).href;
  return {
    env: { NODE_OPTIONS: `--import=${preload}`, JUMPING_CLOCK: file },
    set,
    close: () => rmSync(directory, { recursive: true, force: true }),
  };
}
