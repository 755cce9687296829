import {
  WeftError,
  type Clock,
  type CommittedUpdate,
  type Cursor,
  type ErrorCode,
  type Logger,
  type Metrics,
  type Unsubscribe,
} from '@weft/common';
import {
  guardDelivery,
  Replica,
  Vigilance,
  type LostReason,
  type RedisBackplane,
} from '@weft/redis-backplane';
import type { UpdateLog } from '@weft/update-log';
import type { LiveDocument } from './live-document.ts';

/** Milliseconds between two looks at the heads of the log: a revoke whose notification was lost is found in time. */
const POLICY_INTERVAL = 800;

/** What the log and the other instances tell of an open document. */
export interface ReplicationEvents {
  /** Rows that stand in the log, of this instance or another. */
  committed(live: LiveDocument, rows: readonly CommittedUpdate[]): void;
  /** Rows of another instance are in the document now. */
  applied(live: LiveDocument): void;
  /** The document can no longer be kept at the head of its log. */
  lost(live: LiveDocument, error: WeftError): void;
  awareness(live: LiveDocument, update: Uint8Array): void;
  /** Another instance has opened the document. */
  peerJoined(live: LiveDocument): void;
  policyRevised(live: LiveDocument, revision: number): void;
}

export interface ReplicationPorts {
  readonly log: Pick<UpdateLog, 'heads' | 'readUpdates'>;
  readonly logger: Logger;
  readonly clock: Clock;
  readonly metrics: Metrics;
  /** None: a single instance. */
  readonly backplane: RedisBackplane | undefined;
  readonly events: ReplicationEvents;
}

/**
 * Keeps the open documents of this instance at the head of the log, which other instances write too. The backplane
 * tells of their rows as they are committed; whatever it does not tell is found by looking at the log.
 */
export class Replication {
  private readonly ports: ReplicationPorts;
  private readonly vigilance: Vigilance;
  private readonly replicas = new Map<LiveDocument, Replica>();
  private unguard: Unsubscribe | undefined;

  constructor(ports: ReplicationPorts) {
    this.ports = ports;
    const { log, logger, clock, metrics } = ports;
    this.vigilance = new Vigilance({
      heads: (ids) => log.heads(ids),
      policyInterval: POLICY_INTERVAL,
      logger,
      clock,
      metrics,
    });
  }

  async start(): Promise<void> {
    const { backplane } = this.ports;
    await this.vigilance.start();
    await backplane?.start();
    if (backplane) this.unguard = guardDelivery(backplane, this.vigilance);
  }

  async stop(): Promise<void> {
    this.unguard?.();
    await this.vigilance.stop();
    await this.ports.backplane?.stop();
  }

  /** Before the document is read from the log: what is committed meanwhile is held. */
  async join(live: LiveDocument): Promise<void> {
    const { log, backplane, events } = this.ports;
    const replica = new Replica({
      key: live.key,
      backplane,
      vigilance: this.vigilance,
      events: {
        readRows: (after, limit) => log.readUpdates(live.key, { after, limit }),
        apply: (rows) => {
          events.committed(live, rows);
          live.writer.applyCommitted(rows);
          events.applied(live);
        },
        lost: (reason) => events.lost(live, lostError(reason)),
        awareness: (update) => events.awareness(live, update),
        stateless: (payload) => live.made?.relayStateless(payload),
        peerJoined: () => events.peerJoined(live),
        policyChanged: (revision) => events.policyRevised(live, revision),
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
    this.ports.events.committed(live, rows);
    this.replicas.get(live)?.committed(rows);
  }

  /** Reads the log to its end, once. */
  async catchUp(live: LiveDocument): Promise<void> {
    await this.replicas.get(live)?.catchUp();
  }

  /** Whether people on other instances wait for what is written here. */
  isShared(live: LiveDocument): boolean {
    return this.ports.backplane?.isShared(live.key) ?? false;
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
