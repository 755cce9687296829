import { setTimeout as delay } from 'node:timers/promises';
import type { Clock, ClockRange, Logger } from '@weft/common';
import {
  deletionsIn,
  deletionsOf,
  encodeMissed,
  isAllDeleted,
  lackingDeletions,
  type DeletedRanges,
  type GuardLimits,
} from '@weft/guard';
import type { UpdateLog } from '@weft/update-log';
import type { GatewayMetrics } from '../gateway-metrics.ts';
import type { Replication } from '../document/replication.ts';
import { updateBody } from '../wire/frames.ts';
import type { LiveDocument } from '../document/live-document.ts';
import type { Session } from '../session/session.ts';

/** What is read of the log for those who were away for longer than the recent changes reach. */
const OLDER = { rows: 2_000, bytes: 512 * 1024 } as const;
/** Bytes of a document below which all its deletions cost less than a look into the log. */
const SMALL_DOCUMENT = 64 * 1024;
/** Milliseconds that the log is given; then the whole difference is sent. */
const LOG_PATIENCE = 1_000;
/** Milliseconds for a client to say which deletions it has, after which it is told all. */
const ANSWER_PATIENCE = 10_000;
/** Milliseconds for which all deletions of a document are kept for the next who comes back. */
const KEEP_DELETIONS = 30_000;

export type StateVector = ReadonlyMap<number, number>;

/** A client that was sent what it seems to have missed, and has not said yet which deletions it has. */
interface Resumed {
  readonly stateVector: StateVector;
  readonly deletions: readonly ClockRange[];
  /** The document's changes when that was sent. */
  readonly changes: number;
  readonly timer: NodeJS.Timeout;
}

/** Of a document, after so many of its changes. */
interface AllDeletions {
  readonly before: DeletedRanges;
  readonly changes: number;
}

export interface MissedUpdate {
  readonly update: Uint8Array;
  readonly source: 'recent' | 'log';
}

export interface ResumptionPorts {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Pick<GatewayMetrics, 'synced'>;
  readonly guardLimits: Partial<GuardLimits>;
  readonly log: Pick<UpdateLog, 'readBefore'>;
  readonly replication: Pick<Replication, 'cursorOf'>;
}

/**
 * Gives those who come back what they missed, and not all deletions that the document ever saw. Which deletions those
 * are is inferred from the order of the changes, and may be wrong for whoever got changes in another order: from
 * another peer, or from a copy on the device. So it is only a way to be quick. Every client answers the server's own
 * question with all that it has deleted, and is then told whatever it still lacks.
 */
export class Resumption {
  private readonly ports: ResumptionPorts;
  private readonly resumed = new WeakMap<Session, Resumed>();
  private readonly allDeletions = new WeakMap<LiveDocument, AllDeletions>();
  private readonly reading = new WeakMap<LiveDocument, Promise<void>>();

  constructor(ports: ResumptionPorts) {
    this.ports = ports;
  }

  /** `undefined`: the whole difference has to be sent. */
  missed(
    session: Session,
    stateVector: StateVector,
  ): MissedUpdate | undefined | Promise<MissedUpdate | undefined> {
    const update = this.encode(session, stateVector);
    if (update) return { update, source: session.document.recent.hasOlder ? 'log' : 'recent' };
    const through = this.readableThrough(session.document);
    if (through === undefined) return undefined;
    return this.readOlder(session.document, through).then(() => {
      const later = session.isOpen ? this.encode(session, stateVector) : undefined;
      return later && { update: later, source: 'log' };
    });
  }

  /** The client gets the whole difference instead, every deletion among it. */
  supersede(session: Session): void {
    this.forget(session);
  }

  private encode(session: Session, stateVector: StateVector): Uint8Array | undefined {
    const { document, recent } = session.document;
    const isOwn = (client: number) => session.owns(client);
    const deletions = recent.deletionsMissed({ document, stateVector, isOwn });
    if (!deletions) return undefined;
    this.expectAnswer(session, stateVector, deletions);
    return encodeMissed(document, { stateVector, deletions });
  }

  private expectAnswer(session: Session, stateVector: StateVector, deletions: readonly ClockRange[]): void {
    this.forget(session);
    const timer = setTimeout(() => this.complete(session, []), ANSWER_PATIENCE);
    timer.unref();
    const changes = session.document.recent.count;
    this.resumed.set(session, { stateVector, deletions, changes, timer });
  }

  private forget(session: Session): void {
    clearTimeout(this.resumed.get(session)?.timer);
    this.resumed.delete(session);
  }

  /** What a client says that it has deleted, where that matters. Before its answer is handled, which may take a while. */
  deletionsOf(session: Session, answer: Uint8Array): DeletedRanges | undefined {
    if (!this.resumed.has(session)) return undefined;
    try {
      return deletionsIn(answer, this.ports.guardLimits);
    } catch {
      // Refused where it is handled.
      return undefined;
    }
  }

  /**
   * Whether an answer has nothing but deletions that the document has: what most who come back say. The analysis of
   * it would look at each of them in the document: 20 ms for 20,000, against less than one here.
   */
  bringsNothing(session: Session, answer: Uint8Array, deletions: DeletedRanges): boolean {
    return isAllDeleted(this.deleted(session.document), answer, deletions);
  }

  /** Tells a client the deletions that it still lacks. */
  complete(session: Session, deletions: DeletedRanges | undefined): void {
    const resumed = this.resumed.get(session);
    if (!resumed || !deletions) return;
    this.forget(session);
    if (!session.isOpen) return;
    const { stateVector, changes } = resumed;
    const told = [...resumed.deletions, ...session.document.recent.deletionsAfter(changes)];
    const lacking = lackingDeletions(this.deleted(session.document), { stateVector, deletions, told });
    if (!lacking) return;
    this.ports.metrics.synced('completion');
    session.sendNow(updateBody(lacking));
  }

  /** When all of an instance's clients come back at once, the document is gone through once and not for each. */
  private deleted(live: LiveDocument) {
    const { recent, document } = live;
    let all = this.allDeletions.get(live);
    if (!all || !recent.reachesBackTo(all.changes)) {
      all = { before: deletionsOf(document), changes: recent.count };
      this.keepDeletions(live, all);
    }
    return { before: all.before, since: recent.deletionsAfter(all.changes) };
  }

  private keepDeletions(live: LiveDocument, all: AllDeletions): void {
    this.allDeletions.set(live, all);
    const drop = () => {
      if (this.allDeletions.get(live) === all) this.allDeletions.delete(live);
    };
    setTimeout(drop, KEEP_DELETIONS).unref();
  }

  // ── the log ────────────────────────────────────────────────────────────────

  /** The newest row that the log can add to what is kept here; `undefined`: none, or it is not worth it. */
  private readableThrough(live: LiveDocument): number | undefined {
    const { recent } = live;
    if (recent.hasOlder || live.size.atMost < SMALL_DOCUMENT) return undefined;
    const through = recent.preceding ?? this.ports.replication.cursorOf(live)?.seq;
    return through || undefined;
  }

  /** Once for all who come back at the same time. Never rejects. */
  private readOlder(live: LiveDocument, through: number): Promise<void> {
    const reading = this.reading.get(live) ?? this.read(live, through);
    this.reading.set(live, reading);
    return Promise.race([reading, delay(LOG_PATIENCE, undefined, { ref: false })]);
  }

  private async read(live: LiveDocument, through: number): Promise<void> {
    const { log, clock, logger } = this.ports;
    try {
      const rows = await log.readBefore(live.log, { through, ...OLDER });
      const stillFits = live.recent.preceding === through || live.recent.preceding === undefined;
      if (stillFits) live.recent.prepend(rows, clock.now());
    } catch (error) {
      logger.warn({ err: error, document: live.key }, 'the log could not be read for somebody who came back');
    } finally {
      this.reading.delete(live);
    }
  }
}
