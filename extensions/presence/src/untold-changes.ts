import type { LocalPresence } from './local-presence.ts';
import type { PresenceChange } from './presence-store.ts';
import type { PresenceEntry } from './registry.ts';

/** Leaves that Redis has not been told. More need not be: by then the lease has ended. */
const MAX_UNTOLD = 20_000;

/** Connections of which Redis does not know the newest: present, or over. */
export class UntoldChanges {
  private readonly changes = new Map<string, PresenceChange>();

  get empty(): boolean {
    return this.changes.size === 0;
  }

  add(change: PresenceChange): void {
    const { connection } = change.entry;
    // The newest last: an order in which a person's next connection is entered before the last one is over.
    this.changes.delete(connection);
    this.changes.set(connection, change);
    if (this.changes.size > MAX_UNTOLD) this.dropOldestLeave();
  }

  private dropOldestLeave(): void {
    for (const [connection, { present }] of this.changes) {
      if (present) continue;
      this.changes.delete(connection);
      return;
    }
  }

  /** The oldest, at most so many. */
  first(count: number): PresenceChange[] {
    return [...this.changes.values()].slice(0, count);
  }

  /** Redis knows it. What has changed since stays. */
  told(change: PresenceChange): void {
    const { connection } = change.entry;
    if (this.changes.get(connection) === change) this.changes.delete(connection);
  }

  /** What Redis says, with what it does not know yet of the entries that `matches` asks for. */
  correct(found: readonly PresenceEntry[], matches: (entry: PresenceEntry) => boolean): PresenceEntry[] {
    const entries = new Map(found.map((entry) => [entry.connection, entry]));
    for (const { entry, present } of this.changes.values()) {
      if (!present) entries.delete(entry.connection);
      else if (matches(entry)) entries.set(entry.connection, entry);
    }
    return [...entries.values()];
  }

  /**
   * Redis knows nobody of this instance any more. `unknown`: it has forgotten everything, and who is here is no news to
   * the people of other instances.
   *
   * @returns who has left without its being told
   */
  beginAnew(local: LocalPresence, why: 'reaped' | 'unknown'): PresenceEntry[] {
    const untold = [...this.changes.values()];
    const unheardOf = new Set(untold.map(({ entry }) => entry.connection));
    this.changes.clear();
    for (const entry of [...local.connected(), ...local.broken()]) {
      const known = why === 'unknown' && !unheardOf.has(entry.connection);
      this.changes.set(entry.connection, { entry, present: true, known });
    }
    return untold.filter(({ present }) => !present).map(({ entry }) => entry);
  }

  clear(): void {
    this.changes.clear();
  }
}
