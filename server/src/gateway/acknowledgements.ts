/** One answer that a session will get. */
interface Pending {
  /** The document's ticket that must be committed first; `undefined` while it is not decided. */
  ticket: number | undefined;
  saved: boolean;
  /** Only keeps those behind it waiting; nothing is sent for it. */
  readonly silent?: true;
}

/** An answer that is decided later; those owed after it wait for it. */
export interface Owed {
  decide(ticket: number, saved: boolean): void;
}

/**
 * The answers one session is owed: exactly one SyncStatus per update, in the order the updates came, none before
 * its document's latest batch at that time is committed. (Not only its own: a client that resends after a
 * reconnect brings nothing new, while its original may still be on its way into the log.)
 */
export class Acknowledgements {
  private readonly pending: Pending[] = [];
  private readonly send: (saved: boolean) => void;
  /** The client has been asked what the server lacks, and has not answered yet. */
  private unanswered: Pending | undefined;

  constructor(send: (saved: boolean) => void) {
    this.send = send;
  }

  get waiting(): boolean {
    return this.pending.length > 0;
  }

  /** Owes one answer, due when `ticket` is committed. */
  owe(ticket: number, saved: boolean): void {
    this.pending.push({ ticket, saved });
  }

  oweLater(): Owed {
    const answer: Pending = { ticket: undefined, saved: false };
    this.pending.push(answer);
    return {
      decide: (ticket, saved) => {
        answer.ticket = ticket;
        answer.saved = saved;
      },
    };
  }

  /**
   * Keeps the answers owed from now on until the client has said all that the server lacks. The stock provider
   * starts a connection with a count of one, and sends what was written offline change by change besides: the
   * first answer to any of them would bring the count to zero, and show as saved what is still on its way.
   */
  holdUntilSynced(): void {
    if (this.unanswered) return;
    this.unanswered = { ticket: undefined, saved: true, silent: true };
    this.pending.push(this.unanswered);
  }

  /** The client has said it, and all of it is in the log once `ticket` is committed. */
  synced(ticket: number): void {
    if (!this.unanswered) return;
    this.unanswered.ticket = ticket;
    this.unanswered = undefined;
  }

  /** What was owed for `ticket` turns out to be refused. */
  refuse(ticket: number): void {
    for (const answer of this.pending) if (answer.ticket === ticket) answer.saved = false;
  }

  /** Gives what is due; returns how many. */
  settle(committedTicket: number): number {
    const undue = this.pending.findIndex(({ ticket }) => ticket === undefined || ticket > committedTicket);
    const due = this.pending
      .splice(0, undue < 0 ? this.pending.length : undue)
      .filter(({ silent }) => !silent);
    for (const { saved } of due) this.send(saved);
    return due.length;
  }
}
