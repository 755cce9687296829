import { tenantOf, type DocumentKey } from '@weft/common';
import type { PresenceAnnouncement, PresenceEntry } from './registry.ts';

export interface LocalPresenceOptions {
  readonly instance: string;
  /** Milliseconds that a broken connection stays entered. */
  readonly grace: number;
  /** The connection has come, or is known by something else than before. */
  readonly changed: (entry: PresenceEntry) => void;
  /** The connection is over, its grace included. */
  readonly removed: (entry: PresenceEntry) => void;
}

interface Kept {
  entry: PresenceEntry;
  timer: NodeJS.Timeout | undefined;
}

/** The connections of this instance, with the grace of those that broke. */
export class LocalPresence {
  private readonly options: LocalPresenceOptions;
  private readonly kept = new Map<string, Kept>();
  private readonly byDocument = new Map<DocumentKey, Set<Kept>>();
  private readonly byUser = new Map<string, Set<Kept>>();

  constructor(options: LocalPresenceOptions) {
    this.options = options;
  }

  get size(): number {
    return this.kept.size;
  }

  get(connection: string): PresenceEntry | undefined {
    return this.kept.get(connection)?.entry;
  }

  /** Those whose connection is not broken. */
  connected(): PresenceEntry[] {
    return entries([...this.kept.values()].filter(({ timer }) => !timer));
  }

  /** Those whose connection is broken and whose grace runs. */
  broken(): PresenceEntry[] {
    return entries([...this.kept.values()].filter(({ timer }) => timer));
  }

  inDocument(document: DocumentKey): PresenceEntry[] {
    return entries(this.byDocument.get(document) ?? []);
  }

  ofUser(tenant: string, user: string): PresenceEntry[] {
    return entries(this.byUser.get(userKey(tenant, user)) ?? []);
  }

  has(document: DocumentKey, user: string): boolean {
    return this.ofUser(tenantOf(document), user).some((entry) => entry.document === document);
  }

  announce(announcement: PresenceAnnouncement): void {
    const entry: PresenceEntry = { ...announcement, instance: this.options.instance };
    const known = this.kept.get(entry.connection);
    if (known) {
      clearTimeout(known.timer);
      known.timer = undefined;
      if (same(known.entry, entry)) return;
      this.unindex(known);
    }
    const kept = known ?? { entry, timer: undefined };
    kept.entry = entry;
    this.kept.set(entry.connection, kept);
    index(this.byDocument, entry.document, kept);
    index(this.byUser, userKeyOf(entry), kept);
    this.options.changed(entry);
    this.replace(entry);
  }

  leave(connection: string): void {
    const entry = this.get(connection);
    if (!entry) return;
    this.forget(connection);
    this.options.removed(entry);
  }

  lose(connection: string): void {
    const kept = this.kept.get(connection);
    if (!kept || kept.timer) return;
    if (this.options.grace === 0) return this.leave(connection);
    kept.timer = setTimeout(() => this.leave(connection), this.options.grace);
    kept.timer.unref();
  }

  /** Forgets one, telling nobody. */
  forget(connection: string): void {
    const kept = this.kept.get(connection);
    if (!kept) return;
    clearTimeout(kept.timer);
    this.kept.delete(connection);
    this.unindex(kept);
  }

  /** Forgets all of them, telling nobody. */
  clear(): void {
    for (const { timer } of this.kept.values()) clearTimeout(timer);
    this.kept.clear();
    this.byDocument.clear();
    this.byUser.clear();
  }

  /** A broken connection ends when its replica is back over another one: the grace has done its work. */
  private replace(entry: PresenceEntry): void {
    for (const kept of this.byUser.get(userKeyOf(entry)) ?? []) {
      const { connection, document, clientIds } = kept.entry;
      if (!kept.timer || document !== entry.document) continue;
      if (clientIds.some((client) => entry.clientIds.includes(client))) this.leave(connection);
    }
  }

  private unindex(kept: Kept): void {
    unindex(this.byDocument, kept.entry.document, kept);
    unindex(this.byUser, userKeyOf(kept.entry), kept);
  }
}

export function userKey(tenant: string, user: string): string {
  return `${tenant}/${user}`;
}

export function userKeyOf({ document, person }: PresenceAnnouncement): string {
  return userKey(tenantOf(document), person.id);
}

export function oldestFirst(found: PresenceEntry[]): PresenceEntry[] {
  return found.sort((a, b) => a.since - b.since || (a.connection < b.connection ? -1 : 1));
}

function entries(found: Iterable<Kept>): PresenceEntry[] {
  return oldestFirst(Array.from(found, ({ entry }) => entry));
}

function same(a: PresenceEntry, b: PresenceEntry): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

function index<K>(map: Map<K, Set<Kept>>, key: K, kept: Kept): void {
  const found = map.get(key);
  if (found) found.add(kept);
  else map.set(key, new Set([kept]));
}

function unindex<K>(map: Map<K, Set<Kept>>, key: K, kept: Kept): void {
  const found = map.get(key);
  found?.delete(kept);
  if (found?.size === 0) map.delete(key);
}
