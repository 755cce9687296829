import { type AuditEntry, type Recorded, recorded } from './entry.ts';

/** Milliseconds for which refusals of a kind are counted into one row. */
export const COALESCE_MS = 1_000;

/**
 * What waits to be written, bounded. A flood of refusals costs a lookup each and one row a second, not a row
 * each: else whoever is refused could fill the disk.
 */
export class AuditBuffer {
  private readonly max: number;
  private ready: Recorded[] = [];
  private readonly counting = new Map<string, Recorded>();
  private droppedByTenant = new Map<string, number>();

  constructor(max: number) {
    this.max = max;
  }

  get size(): number {
    return this.ready.length + this.counting.size;
  }

  /** `false`: there was no room, and it is only counted. */
  add(entry: AuditEntry, now: number): boolean {
    const kind = entry.code === undefined ? undefined : kindOf(entry);
    const same = kind === undefined ? undefined : this.counting.get(kind);
    // Else what came before the clock was set back would be counted on for as long as it went back, and not written.
    if (same && same.at <= now && now - same.at < COALESCE_MS) {
      same.count += 1;
      return true;
    }
    if (this.size >= this.max) {
      this.drop(entry.tenant);
      return false;
    }
    const added = recorded(entry, now);
    if (kind === undefined) this.ready.push(added);
    else this.count(kind, same, added);
    return true;
  }

  private count(kind: string, finished: Recorded | undefined, added: Recorded): void {
    if (finished) this.ready.push(finished);
    this.counting.set(kind, added);
  }

  /** Takes the oldest, at most `limit`. What was first seen after `countedUntil` is still being counted. */
  take({ limit, now, countedUntil }: { limit: number; now: number; countedUntil: number }): Recorded[] {
    for (const [kind, entry] of this.counting) {
      if (entry.at > countedUntil && entry.at <= now) continue;
      this.counting.delete(kind);
      this.ready.push(entry);
    }
    this.noteDropped(now);
    return this.ready.splice(0, limit);
  }

  /** That something is missing must be visible in the log itself. */
  private noteDropped(now: number): void {
    if (this.droppedByTenant.size === 0 || this.size >= this.max) return;
    for (const [tenant, count] of this.droppedByTenant) {
      this.ready.push(recorded({ tenant, action: 'audit.dropped', actor: 'system', detail: { count } }, now));
    }
    this.droppedByTenant = new Map();
  }

  private drop(tenant: string): void {
    const known = this.droppedByTenant.has(tenant) || this.droppedByTenant.size < this.max;
    if (known) this.droppedByTenant.set(tenant, (this.droppedByTenant.get(tenant) ?? 0) + 1);
  }
}

function kindOf({ tenant, action, actor, document, code }: AuditEntry): string {
  return JSON.stringify([tenant, action, actor, document, code]);
}
