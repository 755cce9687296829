/** Who somebody is, as far as their token proves it. Never built from anything a client merely says. */
export interface Principal {
  readonly tenant: string;
  /** The token's `sub`. */
  readonly user: string;
  readonly name: string | undefined;
  /** A CSS hex colour such as `#0ea5e9`. */
  readonly color: string | undefined;
  readonly groups: readonly string[];
  readonly scopes: readonly string[];
  /** Document name or `prefix*` → role name, as claimed by the token. */
  readonly grants: Readonly<Record<string, string>>;
  /** Milliseconds since 1970. */
  readonly expiresAt: number;
  readonly tokenId: string | undefined;
}

/** The actor of rows that no person wrote: neutralised updates, repairs, Yjs' own clean-ups. */
export const SYSTEM_ACTOR = 'system';

/** Subjects a grant can name. */
export type Subject = `user:${string}` | `group:${string}` | 'tenant:*' | 'link:*';
