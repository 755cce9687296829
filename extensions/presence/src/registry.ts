import type { DocumentKey, Service, Unsubscribe } from '@weft/common';
import type { StampedUser } from './identity.ts';

/** One document connection of one person. */
export interface PresenceAnnouncement {
  readonly document: DocumentKey;
  /** The document session; unique across instances. */
  readonly connection: string;
  readonly person: StampedUser;
  /** What the person is using, when known: free text of at most some tens of bytes. */
  readonly device: string | undefined;
  /** The Yjs client ids that the connection speaks for. */
  readonly clientIds: readonly number[];
  /** Milliseconds since 1970 when the connection was opened. */
  readonly since: number;
}

export interface PresenceEntry extends PresenceAnnouncement {
  readonly instance: string;
}

/** What becomes of people. Listeners must not throw. */
export interface PresenceListener {
  /** Somebody who was not in the document is now. Told once in the whole cluster. */
  joined?(entry: PresenceEntry): void;
  /** Somebody's last connection to the document is over. Told once in the whole cluster. */
  left?(entry: PresenceEntry): void;
  /**
   * An instance died, and nobody speaks for these client ids any more. Told on every instance, so that each can
   * remove them from the awareness of a document that it has open; `reapedBy` says who tells those who missed it.
   */
  clientsGone?(document: DocumentKey, clientIds: readonly number[], reapedBy: 'us' | 'another'): void;
}

/**
 * Who is in which document, on whatever instance. The methods without a promise return at once and never throw:
 * what they say is true here immediately and elsewhere as soon as it can be told.
 */
export interface PresenceRegistry extends Service {
  /** Enters a connection, or changes what is known of it. */
  announce(announcement: PresenceAnnouncement): void;
  /** The connection was closed on purpose: it is gone now. */
  leave(connection: string): void;
  /** The connection broke. It is gone after the grace, unless the person has come back by then. */
  lose(connection: string): void;
  /** Oldest first. While the other instances cannot be asked: those of this one. */
  list(document: DocumentKey): Promise<PresenceEntry[]>;
  /** Oldest first; the same. */
  listByUser(tenant: string, user: string): Promise<PresenceEntry[]>;
  /**
   * The Yjs client ids for which some connection of the document stands. `undefined` while the other instances cannot
   * be asked; never rejects.
   */
  clientsIn(document: DocumentKey): Promise<ReadonlySet<number> | undefined>;
  subscribe(listener: PresenceListener): Unsubscribe;
}

export const PRESENCE_GRACE_MS = 5000;
