import { FrameReader } from '../wire/frames.ts';

/** Who handles the frames. */
export interface FrameTaker {
  /** Whether it takes any. */
  readonly isOpen: boolean;
  /** A promise holds the next ones back. */
  handle(type: number, reader: FrameReader): void | Promise<void>;
  /** One of those that had waited could not be handled. */
  failed(error: unknown): void;
  /** So many bytes more wait, or fewer. Throws when that is too much. */
  addQueuedBytes(delta: number): void;
  /** Nothing waits any longer. */
  caughtUp(): void;
}

/** Takes frames one after another: while one waits for something (the database, a rate), those after it queue. */
export class FrameQueue {
  private readonly taker: FrameTaker;
  private waiting: Uint8Array[] = [];
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
    this.waiting.push(body);
    this.taker.addQueuedBytes(body.length);
  }

  some(wanted: (body: Uint8Array) => boolean): boolean {
    return this.waiting.some(wanted);
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
    while (this.waiting.length > 0 && !this.busy && this.taker.isOpen) {
      const body = this.waiting.shift() as Uint8Array;
      this.taker.addQueuedBytes(-body.length);
      try {
        const reader = new FrameReader(body);
        this.handle(reader.uint(), reader);
      } catch (error) {
        this.taker.failed(error);
      }
    }
    if (this.waiting.length > 0) return;
    // An array that has been emptied would keep its room.
    this.waiting = [];
    if (!this.busy && this.taker.isOpen) this.taker.caughtUp();
  }

  clear(): void {
    for (const body of this.waiting) this.taker.addQueuedBytes(-body.length);
    this.waiting = [];
  }
}
