import {
  WeftError,
  type CommittedUpdate,
  type Cursor,
  type DocumentKey,
  type Unsubscribe,
} from '@weft/common';
import { AwarenessBatch } from './awareness-batch.ts';
import type { RedisBackplane } from './backplane.ts';
import { DocumentPosition, type DocumentPositionPort, type LogPage } from './document-position.ts';
import type { Vigilance, Watching } from './vigilance.ts';

export interface ReplicaEvents extends Omit<DocumentPositionPort, 'repaired'> {
  /** Presence of people on other instances. */
  awareness(update: Uint8Array): void;
  stateless(payload: string): void;
  /** Another instance has opened the document: publish the presence of this one's people. */
  peerJoined(): void;
  /** The permission revision has changed, and the notice of it may have been lost. */
  policyChanged(policyRev: number): void;
}

export interface ReplicaOptions {
  readonly key: DocumentKey;
  /** None: the log alone connects the instances. */
  readonly backplane?: RedisBackplane | undefined;
  readonly vigilance: Vigilance;
  readonly events: ReplicaEvents;
  /** Bytes held while a row before them is missing. */
  readonly maxHeldBytes?: number;
}

/** Milliseconds. Rows that had to be read mean that a peer may not know of this one. */
const ANNOUNCE_INTERVAL = 1000;

/**
 * One open document of this process, kept at the head of its log: by what peers publish, and by what the log
 * says. The order is {@link join}, load, {@link open}, and {@link leave} at the end.
 */
export class Replica {
  readonly position: DocumentPosition;
  private readonly key: DocumentKey;
  private readonly backplane: RedisBackplane | undefined;
  private readonly vigilance: Vigilance;
  private readonly events: ReplicaEvents;
  private watching: Watching | undefined;
  private announcedAt = -ANNOUNCE_INTERVAL;
  private left = false;
  /**
   * Presence that arrives while the document is loaded, the newest of each person. Peers answer the joining with it at
   * once, and nobody repeats it before clients renew theirs (15 s).
   */
  private early: AwarenessBatch | undefined = new AwarenessBatch();

  constructor({ key, backplane, vigilance, events, maxHeldBytes }: ReplicaOptions) {
    this.key = key;
    this.backplane = backplane;
    this.vigilance = vigilance;
    this.events = events;
    this.position = new DocumentPosition({
      ...(maxHeldBytes !== undefined && { maxHeldBytes }),
      port: {
        readRows: (after, limit) => this.readRows(after, limit),
        apply: (rows) => events.apply(rows),
        lost: (reason) => events.lost(reason),
        repaired: () => this.announce(),
      },
    });
  }

  get cursor(): Cursor | undefined {
    return this.position.cursor;
  }

  /** Never rejects. */
  async join(): Promise<void> {
    await this.backplane?.join(this.key, {
      updates: (rows) => this.position.receive(rows),
      hint: (cursor) => this.position.hint(cursor),
      position: () => this.position.cursor,
      awareness: (update) => this.observe(update),
      stateless: (payload) => this.events.stateless(payload),
      peerJoined: () => this.events.peerJoined(),
    });
  }

  /** The document is loaded up to `seq`. */
  open({ id, epoch, seq, policyRev }: { id: number; epoch: number; seq: number; policyRev: number }): void {
    if (this.left) return;
    this.watching = this.vigilance.watch({
      id,
      position: this.position,
      policyRev,
      policyChanged: (rev) => this.events.policyChanged(rev),
    });
    this.position.open({ epoch, seq });
    this.showEarly();
  }

  private async readRows(after: Cursor, limit: number): Promise<LogPage> {
    try {
      return await this.events.readRows(after, limit);
    } catch (error) {
      // Rows are read by the document's name, which may be another's since. That this one is deleted tells its number, and
      // whoever was only told to come back would bring it into the other.
      if (error instanceof WeftError && error.code === 'cursor-epoch') await this.vigilance.checkNow();
      throw error;
    }
  }

  private showEarly(): void {
    const { early } = this;
    this.early = undefined;
    if (!early || early.empty) return;
    try {
      this.events.awareness(early.take());
    } catch {
      // Something else than an instance wrote it. Opening the document must not fail because of it.
    }
  }

  private observe(update: Uint8Array): void {
    if (this.early) this.early.add(update);
    else this.events.awareness(update);
  }

  /** Rows that this process has committed, in the order of the log. */
  committed(rows: readonly CommittedUpdate[]): void {
    if (this.left || rows.length === 0) return;
    this.position.committed(rows);
    this.watching?.committed(rows);
    this.backplane?.publishUpdates(rows);
  }

  /** Reads the log to its end now. Never rejects; while the log is away it waits. */
  catchUp(): Promise<void> {
    return this.position.catchUp();
  }

  /** @param people how many are present in the document */
  publishAwareness(update: Uint8Array, people: number): void {
    if (!this.left) this.backplane?.publishAwareness(this.key, update, people);
  }

  publishStateless(payload: string): void {
    if (!this.left) this.backplane?.publishStateless(this.key, payload);
  }

  leave(): void {
    if (this.left) return;
    this.left = true;
    this.watching?.end();
    this.position.close();
    this.backplane?.leave(this.key);
  }

  private announce(): void {
    const now = performance.now();
    if (!this.backplane?.connected || now - this.announcedAt < ANNOUNCE_INTERVAL) return;
    this.announcedAt = now;
    this.backplane.announce(this.key);
  }
}

/** Makes vigilance closer while the backplane is down. */
export function guardDelivery(backplane: RedisBackplane, vigilance: Vigilance): Unsubscribe {
  if (!backplane.connected) vigilance.deliveryLost();
  return backplane.listen({
    down: () => vigilance.deliveryLost(),
    up: () => vigilance.deliveryBack(),
  });
}
