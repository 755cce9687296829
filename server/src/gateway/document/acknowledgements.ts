import { WeftError } from '@weft/common';

/** Answers that may wait: some MB. A client that never says what it has, or whoever is that long ahead, is ended. */
const MAX_WAITING = 100_000;

/** One answer that a session will get. */
interface Pending {
  /** The document's ticket that must be committed first; `undefined` while it is not decided. */
  ticket: number | undefined;
  saved: boolean;
  /** Only keeps those behind it waiting; nothing is sent for it. */
  readonly silent?: true;
  /** The answer whose fate this one shares. */
  with?: Pending;
}

/** Who gets the answers. */
export interface Answered {
  answer(saved: boolean): void;
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
  private pending: Pending[] = [];
  private readonly receiver: Answered;
  /** How often the client has been asked what the server lacks, and has not answered yet. */
  private questions = 0;
  /** Shares the fate of the answer to the client's next sync. */
  private withSync: Pending[] | undefined;

  constructor(receiver: Answered) {
    this.receiver = receiver;
  }

  get waiting(): boolean {
    return this.pending.length > 0;
  }

  /** Owes one answer, due when `ticket` is committed. */
  owe(ticket: number, saved: boolean): void {
    this.push({ ticket, saved });
  }

  private push(answer: Pending): void {
    if (this.pending.length >= MAX_WAITING) {
      throw new WeftError('server-overloaded', { detail: 'too many updates wait for their answer' });
    }
    this.pending.push(answer);
  }

  oweLater(): Owed {
    const answer: Pending = { ticket: undefined, saved: false };
    this.push(answer);
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
    this.questions += 1;
    if (this.questions === 1) this.oweWithSync({ silent: true });
  }

  /** Whether the client was asked what the server lacks, and all that it has is still to come. */
  get syncing(): boolean {
    return this.questions > 0;
  }

  /** Owes the answer that the client's sync will get, which brings what this update brought, and what it misses. */
  oweWithSync(options: { readonly silent?: true } = {}): void {
    const answer: Pending = { ticket: undefined, saved: false, ...options };
    this.push(answer);
    (this.withSync ??= []).push(answer);
  }

  /** The client has said it: the newest answer owed is the one to its sync. */
  synced(): void {
    if (this.questions === 0) return;
    this.questions -= 1;
    const answer = this.pending.at(-1);
    if (this.questions > 0 || !answer) return;
    for (const waiting of this.withSync ?? []) waiting.with = answer;
    this.withSync = undefined;
  }

  /** What was owed for `ticket` turns out to be refused. Returns how many answers say so now. */
  refuse(ticket: number): number {
    const fates = new Set(this.pending.filter((answer) => answer.ticket === ticket && answer.saved));
    for (const fate of fates) fate.saved = false;
    return this.pending.filter((answer) => !answer.silent && fates.has(answer.with ?? answer)).length;
  }

  /** Gives what is due; returns how many. */
  settle(committedTicket: number): number {
    const undue = this.pending.findIndex(({ with: other, ticket = other?.ticket }) => {
      return ticket === undefined || ticket > committedTicket;
    });
    const all = undue < 0 ? this.pending : this.pending.splice(0, undue);
    // An array that has been emptied would keep its room.
    if (undue < 0) this.pending = [];
    const due = all.filter(({ silent }) => !silent);
    for (const answer of due) this.receiver.answer((answer.with ?? answer).saved);
    return due.length;
  }
}
