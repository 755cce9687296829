import type { Written } from './written.ts';

interface StrictWrite {
  readonly written: Written;
  readonly done: () => void;
}

/** Updates of a strict document on their way into the log: nobody sees them before they are committed. */
export class StrictWrites {
  private waiting: StrictWrite[] = [];

  /** Resolves when the update has been applied or dropped, which the session's next one waits for. */
  add(written: Written): Promise<void> {
    return new Promise((done) => this.waiting.push({ written, done }));
  }

  /** Applies, in order, what is committed. */
  applyThrough(ticket: number, apply: (written: Written) => void): void {
    while (this.waiting[0] && this.waiting[0].written.ticket <= ticket) {
      const { written, done } = this.waiting.shift() as StrictWrite;
      apply(written);
      done();
    }
  }

  /** It will not be committed. */
  drop(written: Written): void {
    const index = this.waiting.findIndex((write) => write.written === written);
    const [dropped] = index < 0 ? [] : this.waiting.splice(index, 1);
    dropped?.done();
  }

  abandon(): void {
    for (const { done } of this.waiting) done();
    this.waiting = [];
  }
}
