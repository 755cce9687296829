import type { FanOut } from '../fan-out/fan-out.ts';
import type { GatewayMetrics } from '../gateway-metrics.ts';
import type { Owed } from './acknowledgements.ts';
import type { CommitProgress } from './commit-progress.ts';
import type { Participant } from './participant.ts';

export interface DueAnswersOptions {
  readonly progress: CommitProgress;
  readonly fanOut: Pick<FanOut, 'flushSoon'>;
  readonly metrics: Pick<GatewayMetrics, 'acknowledged'>;
}

/** The answers that the sessions of one document wait for: each is given when what it is about is committed. */
export class DueAnswers {
  private readonly options: DueAnswersOptions;
  private readonly waiting = new Set<Participant>();

  constructor(options: DueAnswersOptions) {
    this.options = options;
  }

  /** Owes the session one SyncStatus, due when everything written so far is committed. */
  owe(session: Participant, saved: boolean): void {
    session.acknowledgements.owe(this.options.progress.lastTicket, saved);
    this.settle(session);
  }

  oweLater(session: Participant): Owed {
    this.waiting.add(session);
    return session.acknowledgements.oweLater();
  }

  /** The session's client has said all that was lacking here. */
  synced(session: Participant): void {
    session.acknowledgements.synced();
    this.settle(session);
  }

  /** Sends a session the answers that are due, and remembers it while others are not. */
  settle(session: Participant): void {
    // Ended by the very frame that is answered here: it has been told so, and the next under its address may listen.
    if (!session.isOpen) return this.forget(session);
    const { acknowledgements } = session;
    const { progress, metrics, fanOut } = this.options;
    // What has no ticket, since the log did not take it, would look like something that is committed.
    if (progress.abandoned) return;
    const count = acknowledgements.settle(progress.committedTicket);
    if (count > 0) {
      metrics.acknowledged.inc({}, count);
      fanOut.flushSoon(session);
    }
    if (acknowledgements.waiting) this.waiting.add(session);
    else this.waiting.delete(session);
  }

  /** More is committed. */
  settleAll(): void {
    for (const session of this.waiting) this.settle(session);
  }

  forget(session: Participant): void {
    this.waiting.delete(session);
  }
}
