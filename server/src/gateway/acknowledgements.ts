/** One answer that a session will get. */
interface Pending {
  /** The document's ticket that must be committed first; `undefined` while it is not decided. */
  ticket: number | undefined;
  saved: boolean;
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

  /** What was owed for `ticket` turns out to be refused. */
  refuse(ticket: number): void {
    for (const answer of this.pending) if (answer.ticket === ticket) answer.saved = false;
  }

  /** Gives what is due; returns how many. */
  settle(committedTicket: number): number {
    let count = 0;
    for (const { ticket, saved } of this.pending) {
      if (ticket === undefined || ticket > committedTicket) break;
      this.send(saved);
      count += 1;
    }
    this.pending.splice(0, count);
    return count;
  }
}
