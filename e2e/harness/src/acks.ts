/** What became of an update that a client sent. */
export type Fate =
  /** On its way. */
  | 'pending'
  /** SyncStatus 1: the server promised that it is saved. */
  | 'acknowledged'
  /** SyncStatus 0. */
  | 'refused'
  /** The connection ended first: it may or may not be saved. */
  | 'unknown';

export interface SentUpdate {
  readonly bytes: Uint8Array;
  /** How it was sent: as a change of its own, or as what the server lacked when the connection was made. */
  readonly as: 'update' | 'sync-step-2';
  readonly sentAt: number;
  fate: Fate;
  /** Milliseconds of `performance.now()`. */
  answeredAt?: number;
}

/**
 * Every update that one document session sent over the wire, matched with the SyncStatus frames that answer
 * them in order. This is the promise a client was given; a test compares it with what is stored.
 */
export class AckLedger {
  readonly sent: SentUpdate[] = [];
  /** SyncStatus frames that answered nothing. A correct server sends none. */
  surplus = 0;
  private readonly waiting: SentUpdate[] = [];

  recordSent(bytes: Uint8Array, as: SentUpdate['as']): void {
    const update: SentUpdate = { bytes, as, sentAt: performance.now(), fate: 'pending' };
    this.sent.push(update);
    this.waiting.push(update);
  }

  recordStatus(saved: boolean): void {
    const update = this.waiting.shift();
    if (!update) {
      this.surplus++;
      return;
    }
    update.fate = saved ? 'acknowledged' : 'refused';
    update.answeredAt = performance.now();
  }

  connectionEnded(): void {
    for (const update of this.waiting.splice(0)) update.fate = 'unknown';
  }

  get pending(): number {
    return this.waiting.length;
  }

  get acknowledged(): SentUpdate[] {
    return this.sent.filter(({ fate }) => fate === 'acknowledged');
  }

  get refused(): SentUpdate[] {
    return this.sent.filter(({ fate }) => fate === 'refused');
  }
}
