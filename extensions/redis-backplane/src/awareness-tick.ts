import { AwarenessBatch } from './awareness-batch.ts';

/**
 * The tick of a document in which many are present, milliseconds. A message costs both sides some 0.1 ms whatever is in
 * it; and where hundreds are, the sockets of each instance are written to at longer intervals than this.
 */
const CROWD_TICK = { perPerson: 0.5, max: 250 };

export interface AddOptions {
  /** Milliseconds that it waits for others, at least. */
  readonly tick: number;
  /** How many are present in the document. */
  readonly people: number;
  /** Called at the end of the tick. */
  readonly send: (update: Uint8Array) => void;
}

/** Presence of one document on its way to others: the newest of each person, once a tick. */
export class AwarenessTick {
  private readonly batch = new AwarenessBatch();
  private timer: NodeJS.Timeout | undefined;
  private sentAt = -Infinity;
  /** `performance.now()` from which it may be sent: in a crowd not always as soon as it could. */
  private from = -Infinity;

  get empty(): boolean {
    return this.batch.empty;
  }

  /** @throws for what is no y-protocols awareness update. */
  add(update: Uint8Array, { tick, people, send }: AddOptions): void {
    this.batch.add(update);
    this.timer ??= setTimeout(() => send(this.take()), this.wait(tick, people));
  }

  /** After a quiet time nobody waits longer than in a small document. */
  private wait(tick: number, people: number): number {
    this.from = this.sentAt + Math.min(CROWD_TICK.max, people * CROWD_TICK.perPerson);
    return Math.max(tick, this.from - performance.now());
  }

  /** What may go along with rows that are sent now: who types moves their cursor, too. */
  along(): Uint8Array | undefined {
    return this.empty || performance.now() < this.from ? undefined : this.take();
  }

  /** What waits, to be sent now. */
  take(): Uint8Array {
    clearTimeout(this.timer);
    this.timer = undefined;
    this.sentAt = performance.now();
    return this.batch.take();
  }

  /** Nothing is sent any more. */
  end(): void {
    clearTimeout(this.timer);
  }
}
