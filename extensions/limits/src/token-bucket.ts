import type { Clock } from '@weft/common';

export interface TokenBucketOptions {
  /** Tokens per second that come back. */
  readonly rate: number;
  /** The most that can be saved up, and the content at the start. */
  readonly burst: number;
  readonly clock: Clock;
}

/**
 * A token bucket, filled lazily: no timer, 32 bytes of state, so that every session can have several.
 */
export class TokenBucket {
  private readonly options: TokenBucketOptions;
  private tokens: number;
  private filledAt: number;

  constructor(options: TokenBucketOptions) {
    this.options = options;
    this.tokens = options.burst;
    this.filledAt = options.clock.now();
  }

  /** Takes `cost` tokens if they are there; else takes none and says no. */
  take(cost = 1): boolean {
    if (this.tokens < cost) this.fill();
    if (this.tokens < cost) return false;
    this.tokens -= cost;
    return true;
  }

  /** Takes `cost` tokens whether they are there or not: for a cost that is known only after the work. */
  debit(cost: number): void {
    this.fill();
    this.tokens -= cost;
  }

  /** Whether not even one is there. */
  get isEmpty(): boolean {
    this.fill();
    return this.tokens < 1;
  }

  /** Whether it is as good as a new one. */
  get isFull(): boolean {
    this.fill();
    return this.tokens === this.options.burst;
  }

  private fill(): void {
    const now = this.options.clock.now();
    // A clock set back must not take tokens away.
    const elapsed = Math.max(0, now - this.filledAt) / 1000;
    this.tokens = Math.min(this.options.burst, this.tokens + elapsed * this.options.rate);
    this.filledAt = now;
  }
}
