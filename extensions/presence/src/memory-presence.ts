import { silentLogger, type DocumentKey, type Logger, type Unsubscribe } from '@weft/common';
import { Listeners } from './listeners.ts';
import { LocalPresence } from './local-presence.ts';
import {
  PRESENCE_GRACE_MS,
  type PresenceAnnouncement,
  type PresenceEntry,
  type PresenceListener,
  type PresenceRegistry,
} from './registry.ts';

export interface MemoryPresenceOptions {
  readonly instance: string;
  /** Milliseconds that a broken connection stays entered. */
  readonly grace?: number;
  readonly logger?: Logger;
}

/** The registry of a single instance. */
export class MemoryPresence implements PresenceRegistry {
  private readonly local: LocalPresence;
  private readonly listeners: Listeners;
  /** `tenant/name` and person of everybody whose arrival has been told. */
  private readonly present = new Set<string>();

  constructor({ instance, grace = PRESENCE_GRACE_MS, logger = silentLogger }: MemoryPresenceOptions) {
    this.listeners = new Listeners(logger);
    this.local = new LocalPresence({
      instance,
      grace,
      changed: (entry) => this.changed(entry),
      removed: (entry) => this.removed(entry),
    });
  }

  async start(): Promise<void> {}

  async stop(): Promise<void> {
    this.local.clear();
    this.present.clear();
  }

  announce(announcement: PresenceAnnouncement): void {
    this.local.announce(announcement);
  }

  leave(connection: string): void {
    this.local.leave(connection);
  }

  lose(connection: string): void {
    this.local.lose(connection);
  }

  async list(document: DocumentKey): Promise<PresenceEntry[]> {
    return this.local.inDocument(document);
  }

  async listByUser(tenant: string, user: string): Promise<PresenceEntry[]> {
    return this.local.ofUser(tenant, user);
  }

  async clientsIn(document: DocumentKey): Promise<ReadonlySet<number>> {
    return new Set(this.local.inDocument(document).flatMap(({ clientIds }) => clientIds));
  }

  subscribe(listener: PresenceListener): Unsubscribe {
    return this.listeners.add(listener);
  }

  private changed(entry: PresenceEntry): void {
    const who = inDocument(entry);
    if (this.present.has(who)) return;
    this.present.add(who);
    this.listeners.joined(entry);
  }

  private removed(entry: PresenceEntry): void {
    if (this.local.has(entry.document, entry.person.id)) return;
    this.present.delete(inDocument(entry));
    this.listeners.left(entry);
  }
}

function inDocument({ document, person }: PresenceEntry): string {
  return `${document}\0${person.id}`;
}
