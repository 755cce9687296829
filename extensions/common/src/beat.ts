/** Processes of one machine, which have one clock, do not all wake at once. */
const PHASE = Math.floor(Math.random() * 60_000);

/**
 * Milliseconds until the next beat of a period, which is as long at most. Beats are multiples of it on one clock of the
 * process: timers of one second and of three are due in the same millisecond every three seconds. Timers that each count
 * from their own start are due in as many, and waking up costs an idle process more than what it then does.
 *
 * @param period whole milliseconds
 */
export function untilBeat(period: number): number {
  // The clock of Node's timers, cut to milliseconds as they cut it: else they would be due up to one apart.
  const now = Number(process.hrtime.bigint() / 1_000_000n) + PHASE;
  return period - (now % period);
}
