import type { StatusKind } from './status.ts';

/** A commit takes milliseconds, and a server that is restarted a few seconds. */
export const PATIENCE_MS = 8_000;

export interface Wait {
  /** What the person is told, patience aside. */
  readonly kind: StatusKind;
  readonly unsyncedChanges: number;
}

/** Ends when the server is waited for too long; every acknowledgement gives some more. */
export class Patience {
  readonly #onEnd: () => void;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #ended = false;
  #before: Wait | undefined;

  constructor(onEnd: () => void) {
    this.#onEnd = onEnd;
  }

  /** @returns whether it has come to its end */
  follow(wait: Wait): boolean {
    const before = this.#before;
    this.#before = wait;
    if (!isWaiting(wait) || isAcknowledged(before, wait)) this.restore();
    if (isWaiting(wait) && !this.#ended) this.#timer ??= setTimeout(() => this.#end(), PATIENCE_MS);
    return this.#ended;
  }

  restore(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#ended = false;
  }

  #end(): void {
    this.#ended = true;
    this.#onEnd();
  }
}

function isWaiting({ kind }: Wait): boolean {
  return kind === 'saving' || kind === 'connecting';
}

/** Only while in sync: a provider that connects anew begins to count anew. */
function isAcknowledged(before: Wait | undefined, { kind, unsyncedChanges }: Wait): boolean {
  return before?.kind === 'saving' && kind === 'saving' && unsyncedChanges < before.unsyncedChanges;
}
