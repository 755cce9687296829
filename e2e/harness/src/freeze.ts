import { execFileSync } from 'node:child_process';
import type { TestProcess } from './process.ts';

export interface Freeze {
  /** Lets it go on. */
  close(): void;
}

/**
 * Stops a process and all that it has started, as on a machine that hangs: connections stay open, new ones are
 * taken by the kernel, and nobody answers.
 */
export function freeze(process: TestProcess): Freeze {
  const { pid } = process;
  signal([pid], 'SIGSTOP');
  // The parent first: it starts no further ones now.
  const all = [pid, ...descendantsOf(pid)];
  signal(all, 'SIGSTOP');
  return { close: () => signal(all.toReversed(), 'SIGCONT') };
}

function signal(pids: readonly number[], name: NodeJS.Signals): void {
  for (const pid of pids) {
    try {
      process.kill(pid, name);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    }
  }
}

function descendantsOf(root: number): number[] {
  const table = execFileSync('ps', ['-A', '-o', 'pid=,ppid='], { encoding: 'utf8' });
  const children = new Map<number, number[]>();
  for (const line of table.trim().split('\n')) {
    const [pid = 0, parent = 0] = line.trim().split(/\s+/).map(Number);
    children.set(parent, [...(children.get(parent) ?? []), pid]);
  }
  const below = (pid: number): number[] =>
    (children.get(pid) ?? []).flatMap((child) => [child, ...below(child)]);
  return below(root);
}
