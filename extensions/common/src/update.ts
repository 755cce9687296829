import type { DocumentKey } from './document.ts';

/** How a row came to be, beyond an ordinary edit by the person who sent it. */
export type UpdateKind =
  | 'edit'
  /** Another person's lost edit, brought back by `actor` after a crash. */
  | 'carried'
  /** Made by the server: a repair, a neutralised update, a clean-up. */
  | 'system';

/** One row of a document's log. */
export interface CommittedUpdate {
  readonly document: DocumentKey;
  readonly epoch: number;
  readonly seq: number;
  /** The person's `sub`, or `system`. */
  readonly actor: string;
  /** The document session it came through. */
  readonly session: string;
  /** The instance that committed it. */
  readonly instance: string;
  readonly kind: UpdateKind;
  /** The permission revision that allowed it. */
  readonly policyRev: number;
  readonly at: Date;
  /** Yjs update, encoding v1. */
  readonly update: Uint8Array;
}
