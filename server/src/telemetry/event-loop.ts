import { monitorEventLoopDelay } from 'node:perf_hooks';

/** How long the event loop's turns took, in seconds: whatever came meanwhile had to wait for that. */
export interface EventLoopTurns {
  readonly max: number;
  readonly mean: number;
  readonly p99: number;
}

/**
 * Milliseconds between two looks where Node cannot watch each turn. Each wakes the process: at 10 ms that is 40 % of the
 * CPU of an instance on which nobody does anything, at 100 ms 15 %. At 500 ms half of the stalls of a quarter of a second
 * would go unseen.
 */
const SAMPLING_MS = 100;
const NANOSECONDS = 1e9;

/** Watches the turns of this thread's event loop. The function that it returns tells of those since it was last called. */
export function watchEventLoop(): () => EventLoopTurns {
  const everyTurn = canWatchEveryTurn();
  const histogram = monitorEventLoopDelay({ samplePerIteration: true, resolution: SAMPLING_MS });
  histogram.enable();
  // What Node waited for before its first turn counts as one.
  if (everyTurn) setImmediate(() => histogram.reset()).unref();
  /** A look is late by the turn that held it up, after the pause before it. */
  const pause = everyTurn ? 0 : SAMPLING_MS / 1_000;
  const turn = (nanoseconds: number) => Math.max(0, nanoseconds / NANOSECONDS - pause);
  return () => {
    const { count, max, mean } = histogram;
    const turns = { max: turn(max), mean: turn(mean), p99: turn(histogram.percentile(99)) };
    histogram.reset();
    return count > 0 ? turns : { max: 0, mean: 0, p99: 0 };
  };
}

/** Older versions of Node do not know the option, and so take anything for it. */
function canWatchEveryTurn(): boolean {
  try {
    monitorEventLoopDelay({ samplePerIteration: 'unknown' as never });
    return false;
  } catch {
    return true;
  }
}
