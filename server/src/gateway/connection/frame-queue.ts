import type { FrameSource, Turn } from '../document/turn.ts';
import { FrameReader } from '../wire/frame-reader.ts';

/** Who handles the frames. */
export interface FrameTaker {
  /** Whether it takes any. */
  readonly isOpen: boolean;
  /** A promise holds the next ones back. */
  handle(type: number, reader: FrameReader): void | Promise<void>;
  /** One that nothing held back could not be handled. */
  failedAtOnce(error: unknown): void;
  /** One of those that had waited could not be handled. */
  failed(error: unknown): void;
  /** Nothing waits any longer. */
  caughtUp(): void;
}

/** Who bounds what waits, of all queues of a connection. */
export interface QueueBounds {
  /** So many bytes more wait. Throws when that is too much. */
  queued(bytes: number): void;
  /** So many bytes no longer wait. Does not throw: it is called where a session ends for any reason. */
  unqueued(bytes: number): void;
}

/**
 * Takes frames one after another: while one waits for something (the database, a rate), those after it queue. Small
 * updates that come in one turn of the event loop wait for its end.
 */
export class FrameQueue implements FrameSource {
  private readonly taker: FrameTaker;
  private readonly bounds: QueueBounds;
  /** Nothing while nothing waits, as a rule: an array that has been emptied would keep its room. */
  private waiting: Uint8Array[] | undefined;
  private busy = false;

  constructor(taker: FrameTaker, bounds: QueueBounds) {
    this.taker = taker;
    this.bounds = bounds;
  }

  /** Whether the next frame has to wait. */
  get held(): boolean {
    return this.busy;
  }

  /** A frame of an open session, whose document's turn it is. */
  take(turn: Turn, type: number, reader: FrameReader): void {
    if (!this.busy && turn.takes(this, type, reader)) return;
    // The end of the turn may have ended the session, or left something that holds this back.
    if (!this.taker.isOpen) return;
    if (this.busy) return this.push(reader.fromType);
    this.handle(type, reader);
    // What waits for the end of the turn was sent before whatever comes next, which has to wait now.
    if (this.held) turn.end();
  }

  /** A frame that waited for the end of the turn. */
  resume(type: number, reader: FrameReader): void {
    if (!this.taker.isOpen) return;
    if (this.busy) return this.push(reader.fromType);
    try {
      this.handle(type, reader);
    } catch (error) {
      this.taker.failedAtOnce(error);
    }
  }

  /** A frame that waits, from its type on. Copied, since what was read from the network is reused. */
  push(frame: Uint8Array): void {
    (this.waiting ??= []).push(frame.slice());
    this.bounds.queued(frame.length);
  }

  /** Those that wait, each from its type on. */
  get frames(): readonly Uint8Array[] {
    return this.waiting ?? [];
  }

  private handle(type: number, reader: FrameReader): void {
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
    this.bounds.unqueued(body.length);
    try {
      const reader = new FrameReader(body);
      this.handle(reader.type(), reader);
    } catch (error) {
      this.taker.failed(error);
    }
  }

  clear(): void {
    for (const body of this.waiting ?? []) this.bounds.unqueued(body.length);
    this.waiting = undefined;
  }
}
