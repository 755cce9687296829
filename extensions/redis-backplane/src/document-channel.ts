import type { Cursor, DocumentKey, CommittedUpdate } from '@weft/common';
import { AwarenessBatch } from './awareness-batch.ts';

/** What arrives for an open document. A handler that throws is logged, and nothing else happens. */
export interface DocumentHandlers {
  /** Rows that another process has committed: consecutive, of one epoch. */
  updates(rows: readonly CommittedUpdate[]): void;
  /** y-protocols awareness update. */
  awareness(update: Uint8Array): void;
  stateless(payload: string): void;
  /** Another process says how far it is. */
  hint(cursor: Cursor): void;
  /** How far this process is; `undefined` while it is loading. */
  position(): Cursor | undefined;
  /** Another process has the document open, as was not known, or asks: publish who is present here. */
  peerJoined(): void;
}

/** Milliseconds. Only where Redis cannot say how many listen. */
const PROBE_AFTER = 30_000;
const FORGET_AFTER = 60_000;

/** One document that is open here, and who else has it open. */
export class DocumentChannel {
  readonly key: DocumentKey;
  readonly channel: string;
  readonly handlers: DocumentHandlers;
  readonly awareness = new AwarenessBatch();
  awarenessTimer: NodeJS.Timeout | undefined;
  awarenessSentAt = -Infinity;
  /** `performance.now()` from which presence may be sent: in a crowd not always as soon as it can. */
  awarenessFrom = -Infinity;
  /** Sender → milliseconds of its last message. */
  private readonly peers = new Map<string, number>();
  private probedAt = 0;

  constructor(key: DocumentKey, channel: string, handlers: DocumentHandlers) {
    this.key = key;
    this.channel = channel;
    this.handlers = handlers;
  }

  /** Whether anybody would hear it. Wrongly no costs latency: that peer finds out from the log and says hello. */
  get hasPeers(): boolean {
    return this.peers.size > 0;
  }

  /** Returns whether it was not known. */
  heard(sender: string, now: number): boolean {
    const news = !this.peers.has(sender);
    this.peers.set(sender, now);
    return news;
  }

  gone(sender: string): void {
    this.peers.delete(sender);
  }

  /**
   * Redis delivered a message of that moment to nobody else. Who has said something since then came later.
   */
  nobodyHeard(sentAt: number): void {
    for (const [sender, heardAt] of this.peers) if (heardAt < sentAt) this.peers.delete(sender);
  }

  /** Forgets who has been silent for long; returns whether to ask who is there. */
  shouldProbe(now: number): boolean {
    let oldest = now;
    for (const [sender, heardAt] of this.peers) {
      if (now - heardAt > FORGET_AFTER && this.probedAt > heardAt) this.peers.delete(sender);
      else oldest = Math.min(oldest, heardAt);
    }
    if (now - Math.max(oldest, this.probedAt) < PROBE_AFTER) return false;
    this.probedAt = now;
    return true;
  }
}
