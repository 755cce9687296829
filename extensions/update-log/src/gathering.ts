/** Milliseconds over which sources and arrivals are counted. */
const PERIOD = 50;
/** So many arrivals are to be expected where waiting saves more than waking up for it costs. */
const WORTHWHILE = 1.5;
/** Milliseconds that a batch waits at most when somebody is shown what is in it only afterwards. */
const AWAITED = 3;

/** `hastened`: it has become awaited since the wait began. */
type Urgency = 'none' | 'hastened' | 'awaited';

export interface GatheringOptions {
  /** Milliseconds that a batch waits for company at most. */
  readonly maxWaitMs: number;
  /** Milliseconds. */
  readonly now: () => number;
}

/**
 * Decides whether a batch waits a moment for company. A transaction costs the same for one update as for ten, so
 * with many writers waiting halves the work of both processes and makes everybody faster; with one writer, who sends
 * the next update when this one is saved, it would only be slower.
 *
 * It waits when more arrivals are to be expected, and no longer than until everybody who has lately written is there.
 * Where everybody waits for their answer that is what ends it, not the time: beginning with half of them, or after 3 ms,
 * so that one half is written while the other is received, brought a hundred writers a fifth less, since what everybody
 * sends is then received and shown in twice as many pieces.
 */
export class Gathering {
  private readonly options: GatheringOptions;
  /** Who is in the batch that would begin now. */
  private readonly present = new Set<string>();
  private urgency: Urgency = 'none';
  private current = new Set<string>();
  private previous = new Set<string>();
  private arrivals = 0;
  private previousArrivals = 0;
  private periodEnds = 0;

  constructor(options: GatheringOptions) {
    this.options = options;
  }

  /** Something of `source` (a session) waits to be committed; `awaited`: and somebody for it. */
  arrived(source: string, awaited = false): void {
    this.rotate();
    if (awaited && this.urgency === 'none') this.urgency = 'hastened';
    this.present.add(source);
    this.current.add(source);
    this.arrivals += 1;
  }

  /** The batch has begun. */
  begun(): void {
    this.present.clear();
    this.urgency = 'none';
  }

  /** Whether to wait no longer: nobody is missing of those who have lately written, or what has come is awaited. */
  get ready(): boolean {
    return this.urgency === 'hastened' || this.complete;
  }

  private get complete(): boolean {
    return this.present.size >= Math.max(this.current.size, this.previous.size);
  }

  /** A batch is about to begin: milliseconds that it should wait, 0 for none. */
  wait(): number {
    this.rotate();
    if (this.urgency === 'hastened') this.urgency = 'awaited';
    const maxWaitMs = Math.min(this.options.maxWaitMs, this.urgency === 'awaited' ? AWAITED : Infinity);
    const arrivals = Math.max(this.arrivals, this.previousArrivals);
    return this.complete || (arrivals / PERIOD) * maxWaitMs < WORTHWHILE ? 0 : maxWaitMs;
  }

  private rotate(): void {
    const now = this.options.now();
    if (now < this.periodEnds && this.periodEnds - now <= PERIOD) return;
    const recent = Math.abs(now - this.periodEnds) < PERIOD;
    this.previous = recent ? this.current : new Set();
    this.previousArrivals = recent ? this.arrivals : 0;
    this.current = new Set(this.present);
    this.arrivals = 0;
    this.periodEnds = now + PERIOD;
  }
}
