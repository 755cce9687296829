import type { DocumentKey, Principal } from '@weft/common';
import type { PolicyChange } from './pattern.ts';
import type { Role } from './role.ts';

/** What one source knows about a person and a document. */
export interface Resolution {
  /** All that apply; none: this source gives no access. */
  readonly roles: readonly Role[];
  /** The revision that the roles were read under, in the same snapshot; only the log's own database has one. */
  readonly policyRev?: number;
  /** Milliseconds since 1970 until which this holds; ask again then. */
  readonly expiresAt?: number;
}

/** Documents that a person finds in their list: names and `prefix*` patterns. */
export interface Visible {
  readonly pattern: string;
  readonly roles: readonly Role[];
}

export type StopWatching = () => Promise<void>;

/** Where permissions come from. Called only for documents of the principal's own tenant. */
export interface GrantSource {
  /**
   * @param revision of the document's permissions, where another source has them: what is remembered of any other
   *   revision counts no more, nor what was being asked then
   * @throws WeftError `permissions-unavailable` when it cannot tell; never guesses
   */
  resolve(principal: Principal, key: DocumentKey, revision?: number): Promise<Resolution>;
  /** Tells of changes as they are made. A hint that may be lost. */
  watch?(onChange: (change: PolicyChange) => void): Promise<StopWatching>;
  /** For the list of documents; a source that cannot enumerate has none. */
  visible?(principal: Principal): Promise<readonly Visible[]>;
  /** The current policy revisions, for a poll; 0 for a document that does not exist. Who has them is asked first. */
  revisions?(keys: readonly DocumentKey[]): Promise<ReadonlyMap<DocumentKey, number>>;
}
