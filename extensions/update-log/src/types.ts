import type { CommittedUpdate, DocumentKey, UpdateKind, WeftError } from '@weft/common';
import type pg from 'pg';

/** What runs a query: a pool, or a client inside the caller's transaction. */
export type Queryable = Pick<pg.ClientBase, 'query'> | Pick<pg.Pool, 'query'>;

export interface AppendEntry {
  /** Yjs update, encoding v1. Kept until it is settled: the caller must not change it. */
  readonly update: Uint8Array;
  readonly actor: string;
  readonly session: string;
  readonly kind: UpdateKind;
  /** The permission revision it was authorized under. */
  readonly policyRev: number;
  /** Somebody is shown it only when it is committed, so it does not wait long for company. */
  readonly awaited?: boolean;
}

/** What becomes of an entry whose permission revision has passed. */
export type Reauthorization =
  /** It is still allowed. */
  | { readonly verdict: 'commit' }
  /** It is not: this is logged in its place, as `system`. Empty: nothing is. */
  | { readonly verdict: 'replace'; readonly update: Uint8Array };

/** What a document's log tells whoever has it open. Nothing here may throw. */
export interface DocumentLogEvents {
  /**
   * Rows are durable. Called in the order of the log, never twice for a row, after the COMMIT; every ticket up to
   * `throughTicket` may now be acknowledged. No rows: the entries came to nothing.
   */
  committed(rows: readonly CommittedUpdate[], throughTicket: number): void;
  /**
   * The document's permissions have changed since `entries` were authorized: the very objects that were appended,
   * or what replaced one before. Answers for each, in order. The document's queue waits meanwhile. A rejection
   * fails the document.
   */
  reauthorize(policyRev: number, entries: readonly AppendEntry[]): Promise<readonly Reauthorization[]>;
  /**
   * The log of this document is over: what was not committed is gone, and the document must be loaded again.
   * `log-write-failed`, `document-deleted`, `document-reload` (another epoch or mode), `log-unavailable` (stopped
   * before the database came back), or what `reauthorize` rejected with.
   */
  failed(error: WeftError): void;
}

/** What a document is when it is opened. */
export interface LoadedDocument {
  /** Yjs update that holds everything up to the first row of `tail`. */
  readonly snapshot: Uint8Array | undefined;
  /** The rows after the snapshot, without a gap. */
  readonly tail: readonly CommittedUpdate[];
  /** The position that snapshot and tail together have. */
  readonly seq: number;
  readonly policyRev: number;
}

export type DocumentMode = 'live' | 'strict';

/** An open document's way into the log. */
export interface DocumentLog {
  readonly key: DocumentKey;
  readonly id: number;
  /** Milliseconds since 1970 when this history began. */
  readonly epoch: number;
  /** A document that was deleted and made again has another moment. */
  readonly createdAt: Date;
  /** It is not the one that the document began with: the database was put back once. */
  readonly renewed: boolean;
  readonly mode: DocumentMode;
  /** @throws WeftError `internal` after {@link forgetLoaded} */
  readonly loaded: LoadedDocument;
  /** Frees what was loaded, when it is where it is needed: a document's snapshot is as large as the document. */
  forgetLoaded(): void;
  /**
   * Queues an entry and returns its ticket: 1, 2, 3 … in the order of the calls.
   * @throws WeftError `log-backlog-full`; `server-draining` after stop; what `failed` was told, after it was.
   */
  append(entry: AppendEntry): number;
  /**
   * Another process is said to have written the row `seq`. Appending is cheaper while that is true of the newest row,
   * and no less safe when it is not.
   */
  expect(seq: number): void;
  /** Resolves when everything appended so far is committed; rejects with what `failed` is told. */
  flush(): Promise<void>;
  /** What is queued is still committed and told to `committed`. Resolves after that; never rejects. */
  close(): Promise<void>;
}

/** A document's row, without its content. */
export interface DocumentHead {
  readonly epoch: number;
  readonly head: number;
  readonly policyRev: number;
  readonly mode: DocumentMode;
}

export interface LogStats {
  readonly pendingBytes: number;
  readonly pendingEntries: number;
  readonly openDocuments: number;
  /** The database has not taken anything since then; `undefined`: it does. */
  readonly degradedSince: Date | undefined;
  /** Why it did not take the last one, until it takes one. */
  readonly degradedBy: unknown;
}
