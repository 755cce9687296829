import { setTimeout as delay } from 'node:timers/promises';

/**
 * Waits until `condition` gives something truthy and returns it. Polls, so it needs no cooperation from what
 * is waited for; an exception from `condition` counts as "not yet".
 *
 * @param timeout milliseconds; on expiry the error carries `what` and the last exception.
 */
export async function until<T>(
  condition: () => T | Promise<T>,
  { timeout = 10_000, interval = 25, what = 'the condition' } = {},
): Promise<NonNullable<T>> {
  const deadline = Date.now() + timeout;
  let last: unknown;
  for (;;) {
    try {
      const value = await condition();
      if (value) return value;
      last = undefined;
    } catch (error) {
      last = error;
    }
    if (Date.now() > deadline) throw new Error(`Waited ${timeout} ms for ${what}`, { cause: last });
    await delay(interval);
  }
}
