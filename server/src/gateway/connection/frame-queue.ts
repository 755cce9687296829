import { FrameReader } from '../wire/frames.ts';

/** Who handles the frames. */
export interface FrameTaker {
  /** Whether it takes any. */
  readonly isOpen: boolean;
  /** A promise holds the next ones back. */
  handle(type: number, reader: FrameReader): void | Promise<void>;
  /** One of those that had waited could not be handled. */
  failed(error: unknown): void;
  /** So many bytes more wait. Throws when that is too much. */
  queued(bytes: number): void;
  /** So many bytes no longer wait. Does not throw: it is called where a session ends for any reason. */
  unqueued(bytes: number): void;
  /** Nothing waits any longer. */
  caughtUp(): void;
}

/** Takes frames one after another: while one waits for something (the database, a rate), those after it queue. */
export class FrameQueue {
  private readonly taker: FrameTaker;
  /** Nothing while nothing waits, as a rule: an array that has been emptied would keep its room. */
  private waiting: Uint8Array[] | undefined;
  private busy = false;

  constructor(taker: FrameTaker) {
    this.taker = taker;
  }

  /** Whether the next frame has to wait. */
  get held(): boolean {
    return this.busy;
  }

  /** @param body a copy: what was read from the network is reused. */
  push(body: Uint8Array): void {
    (this.waiting ??= []).push(body);
    this.taker.queued(body.length);
  }

  /** Those that wait, each from its type on. */
  get frames(): readonly Uint8Array[] {
    return this.waiting ?? [];
  }

  /** Handles a frame now. */
  handle(type: number, reader: FrameReader): void {
    const outcome = this.taker.handle(type, reader);
    if (outcome) this.hold(outcome);
  }

  private hold(work: Promise<void>): void {
    this.busy = true;
    const done = () => {
      this.busy = false;
      this.drain();
    };
    work.catch((error: unknown) => this.taker.failed(error)).finally(done);
  }

  /** Handles what waits, as far as nothing holds it back. */
  drain(): void {
    while (this.waiting && !this.busy && this.taker.isOpen) this.handleNext(this.waiting);
    if (!this.waiting && !this.busy && this.taker.isOpen) this.taker.caughtUp();
  }

  private handleNext(waiting: Uint8Array[]): void {
    const body = waiting.shift() as Uint8Array;
    if (waiting.length === 0) this.waiting = undefined;
    this.taker.unqueued(body.length);
    try {
      const reader = new FrameReader(body);
      this.handle(reader.uint(), reader);
    } catch (error) {
      this.taker.failed(error);
    }
  }

  clear(): void {
    for (const body of this.waiting ?? []) this.taker.unqueued(body.length);
    this.waiting = undefined;
  }
}
