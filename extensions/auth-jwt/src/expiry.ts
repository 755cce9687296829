import type { Clock } from '@weft/common';

/** The longest time that Node's timers can wait; beyond it they fire at once. */
const MAX_TIMEOUT = 2 ** 31 - 1;

export interface ExpiryOptions {
  readonly clock: Clock;
  /** Milliseconds since 1970. */
  readonly expiresAt: number;
  /** Milliseconds before `expiresAt` at which `onSoon` is called. */
  readonly lead: number;
  readonly onSoon: () => void;
  readonly onExpired: () => void;
}

/** Calls `onSoon` and then `onExpired`, each once, until it is cancelled. Does not keep the process alive. */
export function watchExpiry(options: ExpiryOptions): () => void {
  const { clock, expiresAt, lead, onSoon, onExpired } = options;
  let timer: NodeJS.Timeout;
  const at = (time: number, call: () => void) => {
    const wait = time - clock.now();
    // Timers may fire a millisecond early; the clock decides, not the timer.
    timer = setTimeout(() => (clock.now() >= time ? call() : at(time, call)), clamp(wait));
    timer.unref();
  };
  at(expiresAt - lead, () => {
    onSoon();
    at(expiresAt, onExpired);
  });
  return () => clearTimeout(timer);
}

function clamp(wait: number): number {
  return Math.min(Math.max(wait, 0), MAX_TIMEOUT);
}
