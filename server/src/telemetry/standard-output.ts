import { pino } from 'pino';

/** Bytes of lines that wait while standard output takes none, as on a full disk; what comes then is lost, and counted. */
const MAX_WAITING = 1024 * 1024;
/** Milliseconds until it is tried again, if nothing is logged before. */
const RETRY = 100;
/** Milliseconds that an exit waits for a reader who is slow, and how often it looks. */
const EXIT_PATIENCE = 1_000;
const EXIT_RETRY = 10;

export interface StandardOutput {
  write(line: string): void;
  flush(): void;
}

/**
 * In this thread and synchronous: what was logged last before an exit is what one wants to read. Output that fails must not
 * end the program, nor may what it fails to take pile up, nor may one that nobody reads stop it: in a blocking write the
 * whole server would wait for a log collector that hangs.
 *
 * @param lost called when lines are taken again, with how many were lost
 */
export function standardOutput(lost: (lines: number) => void): StandardOutput {
  // Node makes a pipe non-blocking when this is first asked for: a write to a full one then fails (EAGAIN) at once.
  void process.stdout;
  const output = pino.destination({ dest: 1, sync: true, maxLength: MAX_WAITING, retryEAGAIN: () => false });
  const writeWaiting = () => output.write('');
  let dropped = 0;
  let stuck = false;
  let retry: NodeJS.Timeout | undefined;

  function atExit(): void {
    const cell = new Int32Array(new SharedArrayBuffer(4));
    for (let left = EXIT_PATIENCE; stuck && left > 0; left -= EXIT_RETRY) {
      Atomics.wait(cell, 0, 0, EXIT_RETRY);
      writeWaiting();
    }
  }

  output.on('drop', () => dropped++);
  output.on('error', () => {
    if (!stuck) process.once('exit', atExit);
    stuck = true;
    retry ??= setTimeout(() => {
      retry = undefined;
      writeWaiting();
    }, RETRY).unref();
  });
  output.on('write', () => {
    if (stuck) process.off('exit', atExit);
    stuck = false;
  });
  output.on('drain', () => {
    // It is told a tick late, and may be stuck again.
    if (stuck || dropped === 0) return;
    const lines = dropped;
    dropped = 0;
    lost(lines);
  });
  return output;
}
