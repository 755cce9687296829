import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { setPriority } from 'node:os';

export interface RunOptions {
  readonly env?: NodeJS.ProcessEnv;
  /** Milliseconds after which it is ended, with everything that it started. */
  readonly limit: number;
  /** Takes what it prints, which is shown as it comes otherwise. */
  readonly onOutput?: ((chunk: Buffer) => void) | undefined;
  /** How much it leaves to others, as for `nice`: 19 takes only what nobody else wants. */
  readonly niceness?: number | undefined;
}

/** Milliseconds between asking it to end and ending it. */
const GRACE = 10_000;

/** Runs a program to its end; its exit code, or `null` when it did not end by itself. */
export async function runCommand(
  [program = '', ...args]: readonly string[],
  { env, limit, onOutput, niceness }: RunOptions,
): Promise<number | null> {
  // A process group of its own: whoever ends it ends its browsers and databases too.
  const output = onOutput ? 'pipe' : 'inherit';
  const child = spawn(program, args, { stdio: ['ignore', output, output], env, detached: true });
  if (onOutput) for (const stream of [child.stdout, child.stderr]) stream?.on('data', onOutput);
  if (niceness !== undefined && child.pid !== undefined) yieldToOthers(child.pid, niceness);
  const end = (signal: NodeJS.Signals) => {
    try {
      if (child.pid !== undefined) process.kill(-child.pid, signal);
    } catch {
      // It has ended meanwhile.
    }
  };
  const interrupted = () => end('SIGINT');
  process.on('SIGINT', interrupted).on('SIGTERM', interrupted);
  const timers = [
    setTimeout(() => {
      console.error(`ended after ${limit / 60_000} minutes: ${program} ${args.join(' ')}`);
      end('SIGTERM');
    }, limit),
    setTimeout(() => end('SIGKILL'), limit + GRACE),
  ];
  try {
    return await new Promise<number | null>((resolve) => {
      child.once('error', (error) => {
        console.error(error.message);
        resolve(null);
      });
      child.once(onOutput ? 'close' : 'exit', resolve);
    });
  } finally {
    for (const timer of timers) clearTimeout(timer);
    process.off('SIGINT', interrupted).off('SIGTERM', interrupted);
  }
}

/** With what it starts from then on. Where that is not allowed it runs like everything else. */
function yieldToOthers(pid: number, niceness: number): void {
  try {
    setPriority(pid, niceness);
    // Linux may share the processor among sessions first, of which this is one, and look at its processes then.
    writeFileSync(`/proc/${pid}/autogroup`, String(niceness));
  } catch {
    // There is no such file elsewhere.
  }
}
