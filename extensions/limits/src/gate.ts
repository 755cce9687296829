import { WeftError, type ErrorCode } from '@weft/common';

export interface ConcurrencyGateOptions {
  /** How many may run at once. */
  readonly concurrency: number;
  /** How many may wait; one more is refused with `refusal`. */
  readonly queue: number;
  readonly refusal: ErrorCode;
}

/** Runs at most so many tasks at once, lets a bounded number wait in order, and refuses the rest. */
export class ConcurrencyGate {
  private readonly options: ConcurrencyGateOptions;
  private readonly waiting: (() => void)[] = [];
  private running = 0;

  constructor(options: ConcurrencyGateOptions) {
    this.options = options;
  }

  async run<T>(task: () => Promise<T>): Promise<T> {
    await this.enter();
    try {
      return await task();
    } finally {
      this.leave();
    }
  }

  private enter(): Promise<void> | void {
    if (this.running < this.options.concurrency) {
      this.running += 1;
      return;
    }
    if (this.waiting.length >= this.options.queue) throw new WeftError(this.options.refusal);
    // The place is handed over by `leave`, so `running` is not counted again here.
    return new Promise((resolve) => this.waiting.push(resolve));
  }

  private leave(): void {
    const next = this.waiting.shift();
    if (next) next();
    else this.running -= 1;
  }
}
