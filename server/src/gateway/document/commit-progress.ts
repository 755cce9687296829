import type { CommittedUpdate, WeftError } from '@weft/common';

interface Waiter {
  readonly ticket: number;
  readonly resolve: () => void;
  readonly reject: (error: WeftError) => void;
}

/** How far a document's log has come: what was handed to it, and what of that is committed. */
export class CommitProgress {
  /** Of the newest append; 0 before the first. */
  lastTicket = 0;
  committedTicket = 0;
  /** The newest row that this instance knows of. */
  seq = 0;
  private waiters: Waiter[] = [];
  private failure: WeftError | undefined;

  get complete(): boolean {
    return this.committedTicket === this.lastTicket;
  }

  /** Nothing more will be committed, and nobody is told of more. */
  get abandoned(): boolean {
    return this.failure !== undefined;
  }

  /** Own appends have been committed. */
  committed(rows: readonly CommittedUpdate[], throughTicket: number): void {
    this.committedTicket = throughTicket;
    this.seq = rows.at(-1)?.seq ?? this.seq;
  }

  /** Rows of other instances are here. */
  received(rows: readonly CommittedUpdate[]): void {
    this.seq = Math.max(this.seq, rows.at(-1)?.seq ?? 0);
  }

  /** Resolves when everything handed over so far is committed; rejects when it can no longer be. */
  async settled(): Promise<void> {
    if (this.failure) throw this.failure;
    const ticket = this.lastTicket;
    if (this.committedTicket >= ticket) return;
    await new Promise<void>((resolve, reject) => this.waiters.push({ ticket, resolve, reject }));
  }

  /** Tells those who wait for what is committed by now. */
  tell(): void {
    const due = this.waiters.filter(({ ticket }) => ticket <= this.committedTicket);
    if (due.length === 0) return;
    this.waiters = this.waiters.filter(({ ticket }) => ticket > this.committedTicket);
    for (const { resolve } of due) resolve();
  }

  /** Nothing more will be committed. */
  abandon(error: WeftError): void {
    this.failure ??= error;
    for (const { reject } of this.waiters) reject(error);
    this.waiters = [];
  }
}
