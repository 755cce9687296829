/** Processes of one machine, which have one clock, do not all wake at once. */
const PHASE = Math.floor(Math.random() * 60_000);

/**
 * Milliseconds until the next beat of a period, which is as long at most. Beats are multiples of it on one clock of the
 * process: timers of one second and of three are due in the same millisecond every three seconds. Timers that each count
 * from their own start are due in as many, and waking up costs an idle process more than what it then does.
 *
 * @param period whole milliseconds
 */
function untilBeat(period: number): number {
  // The clock of Node's timers, cut to milliseconds as they cut it: else they would be due up to one apart.
  const now = Number(process.hrtime.bigint() / 1_000_000n) + PHASE;
  return period - (now % period);
}

/**
 * Works at every beat of a period, until the function that it returns is called. Keeps no process alive.
 *
 * @param period whole milliseconds; a function is asked anew for each beat
 * @param work may not throw or reject; the beats that come while it is under way are left out
 */
export function everyBeat(period: number | (() => number), work: () => void | Promise<void>): () => void {
  let stopped = false;
  let timer: NodeJS.Timeout;
  const wait = () => {
    if (stopped) return;
    timer = setTimeout(beat, untilBeat(typeof period === 'number' ? period : period()));
    timer.unref();
  };
  const beat = () => {
    const working = work();
    if (working) void working.then(wait);
    else wait();
  };
  wait();
  return () => {
    stopped = true;
    clearTimeout(timer);
  };
}
