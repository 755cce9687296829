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
  /** Of the roles asked for by name those that the tenant has defined, of the same snapshot as the revision. */
  readonly own?: OwnRoles;
}

/** Roles that a tenant has defined for itself, by name. */
export type OwnRoles = ReadonlyMap<string, Role>;

/** Where a tenant's own roles are looked up when no other source brings them along. */
export interface RoleDefinitions {
  /** @throws WeftError `permissions-unavailable` */
  find(tenant: string, names: readonly string[]): Promise<OwnRoles>;
}

/** What one source is told of the others. */
export interface Given {
  /** The names of roles that others may give; who has revisions answers with what the tenant means by them. */
  readonly names?: readonly string[];
  /**
   * Of the document's permissions, where another source has them: what is remembered of any other revision counts no
   * more, nor what was being asked then.
   */
  readonly revision?: number;
  /**
   * Milliseconds since 1970: what is remembered and does not hold longer is asked for anew. For whoever asks ahead of the
   * end of what they know.
   */
  readonly beyond?: number | undefined;
  /** What the tenant means by the {@link Given.names}; `undefined`: nobody was asked. */
  readonly own?: OwnRoles | undefined;
}

/** Documents that a person finds in their list: names and `prefix*` patterns. */
export interface Visible {
  readonly pattern: string;
  readonly roles: readonly Role[];
}

export type StopWatching = () => Promise<void>;

/** Where permissions come from. Called only for documents of the principal's own tenant. */
export interface GrantSource {
  /** @throws WeftError `permissions-unavailable` when it cannot tell; never guesses */
  resolve(principal: Principal, key: DocumentKey, given?: Given): Promise<Resolution>;
  /** The roles it is likely to give that are not built in, so that their definitions come with the revision. */
  names?(principal: Principal, key: DocumentKey): readonly string[];
  /** Tells of changes as they are made. A hint that may be lost. */
  watch?(onChange: (change: PolicyChange) => void): Promise<StopWatching>;
  /** For the list of documents; a source that cannot enumerate has none. */
  visible?(principal: Principal): Promise<readonly Visible[]>;
  /** The current policy revisions, for a poll; 0 for a document that does not exist. Who has them is asked first. */
  revisions?(keys: readonly DocumentKey[]): Promise<ReadonlyMap<DocumentKey, number>>;
}
