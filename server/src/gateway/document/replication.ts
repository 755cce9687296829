import { WeftError, type CommittedUpdate, type Cursor, type ErrorCode, type Unsubscribe } from '@weft/common';
import { guardDelivery, Replica, Vigilance, type LostReason } from '@weft/redis-backplane';
import type { GatewayCore } from '../core.ts';
import type { LiveDocument } from './live-document.ts';

/** Milliseconds between two looks at the heads of the log: a revoke whose notification was lost is found in time. */
const POLICY_INTERVAL = 800;

/**
 * Keeps the open documents of this instance at the head of the log, which other instances write too. The backplane
 * tells of their rows as they are committed; whatever it does not tell is found by looking at the log.
 */
export class Replication {
  private readonly core: GatewayCore;
  private readonly vigilance: Vigilance;
  private readonly replicas = new Map<LiveDocument, Replica>();
  private unguard: Unsubscribe | undefined;

  constructor(core: GatewayCore) {
    this.core = core;
    const { log, logger, clock, metrics } = core.dependencies;
    this.vigilance = new Vigilance({
      heads: (ids) => log.heads(ids),
      policyInterval: POLICY_INTERVAL,
      logger,
      clock,
      metrics,
    });
  }

  async start(): Promise<void> {
    const { backplane } = this.core.dependencies;
    await this.vigilance.start();
    await backplane?.start();
    if (backplane) this.unguard = guardDelivery(backplane, this.vigilance);
  }

  async stop(): Promise<void> {
    this.unguard?.();
    await this.vigilance.stop();
    await this.core.dependencies.backplane?.stop();
  }

  /** Before the document is read from the log: what is committed meanwhile is held. */
  async join(live: LiveDocument): Promise<void> {
    const { log, backplane } = this.core.dependencies;
    const replica = new Replica({
      key: live.key,
      backplane,
      vigilance: this.vigilance,
      events: {
        readRows: (after, limit) => log.readUpdates(live.key, { after, limit }),
        apply: (rows) => {
          this.core.carried.clocks.observe(live, rows);
          live.applyCommitted(rows);
          this.core.carried.changed(live);
        },
        lost: (reason) => this.core.documents.discard(live, lostError(reason)),
        awareness: (update) => this.core.awareness.observe(live, update),
        stateless: (payload) => live.document?.relayStateless(payload),
        peerJoined: () => this.core.awareness.introduce(live),
        policyChanged: (revision) => this.core.access.revised(live, revision),
      },
    });
    this.replicas.set(live, replica);
    await replica.join();
  }

  /** The document has been read, and Hocuspocus has made it. */
  opened(live: LiveDocument): void {
    const { id, epoch, loaded } = live.log;
    this.replicas.get(live)?.open({ id, epoch, seq: loaded.seq, policyRev: live.policyRev });
  }

  /** How far the document in memory has come without a gap; `undefined` while it is being opened. */
  cursorOf(live: LiveDocument): Cursor | undefined {
    return this.replicas.get(live)?.cursor;
  }

  leave(live: LiveDocument): void {
    this.replicas.get(live)?.leave();
    this.replicas.delete(live);
  }

  /** Rows of this instance are durable. */
  committed(live: LiveDocument, rows: readonly CommittedUpdate[]): void {
    this.core.carried.clocks.observe(live, rows);
    this.replicas.get(live)?.committed(rows);
  }

  /** Reads the log to its end, once. */
  async catchUp(live: LiveDocument): Promise<void> {
    await this.replicas.get(live)?.catchUp();
  }

  /** Whether people on other instances wait for what is written here. */
  isShared(live: LiveDocument): boolean {
    return this.core.dependencies.backplane?.isShared(live.key) ?? false;
  }

  publishAwareness(live: LiveDocument, update: Uint8Array): void {
    this.replicas.get(live)?.publishAwareness(update, live.document.awareness.states.size);
  }

  publishStateless(live: LiveDocument, payload: string): void {
    this.replicas.get(live)?.publishStateless(payload);
  }
}

const LOST: Record<LostReason, ErrorCode> = {
  'epoch-changed': 'document-reload',
  'rows-pruned': 'document-reload',
  'apply-failed': 'document-reload',
  'document-deleted': 'document-deleted',
};

function lostError(reason: LostReason): WeftError {
  return new WeftError(LOST[reason], { detail: reason });
}
