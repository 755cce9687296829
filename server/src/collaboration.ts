import type { PolicyChange } from '@weft/authorize';
import type { Cursor, DocumentKey, ErrorCode, Principal } from '@weft/common';

/** Somebody in a document, on any instance. */
export interface PresenceEntry {
  readonly user: string;
  readonly name?: string | undefined;
  readonly color?: string | undefined;
  readonly session: string;
  readonly instance: string;
  /** Milliseconds since 1970. */
  readonly since: number;
}

/** What the API needs of the documents that are open. */
export interface CollaborationPort {
  /**
   * The same way as an update that came over a WebSocket: limits, guard, authorize, apply, commit.
   *
   * @returns the position at which it is in the log
   * @throws WeftError the refusal
   */
  submitUpdate(principal: Principal, key: DocumentKey, update: Uint8Array): Promise<Cursor>;
  presence(key: DocumentKey): Promise<readonly PresenceEntry[]>;
  /** Sessions it affects on this instance ask the gate again at once; the others hear of it by notification. */
  accessChanged(change: PolicyChange): void;
  /** Ends the document's sessions on this instance. */
  closeDocument(key: DocumentKey, code: ErrorCode): Promise<void>;
}
