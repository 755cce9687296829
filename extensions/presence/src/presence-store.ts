import { steadyClock, type Clock, type DocumentKey } from '@weft/common';
import { userKey, userKeyOf } from './local-presence.ts';
import { RedisScript, type RedisClient } from './redis-script.ts';
import type { PresenceEntry } from './registry.ts';

/** An entry as it is stored: whose it is to remove. */
type StoredEntry = PresenceEntry & { readonly incarnation: string };

export type SyncResult = '' | 'joined' | 'left' | 'superseded';

export type LeaseState =
  | { readonly state: 'alive'; readonly nextExpiry: number | undefined }
  | { readonly state: 'reaped' | 'unknown' };

export interface PresenceChange {
  readonly entry: PresenceEntry;
  readonly present: boolean;
  /** Redis has lost what everybody knew: that the person is here is no news. */
  readonly known?: boolean;
}

const REAP_BATCH = 200;

/**
 * Presence in Redis. All keys share one hash tag, so that a script sees them all in a cluster as well:
 * `leases`, `reaped`, `quiet`, `clock`, `document:…`, `person:…`, `instance:…`; see `lua/`.
 */
export class PresenceStore {
  readonly channel: string;
  private readonly client: RedisClient;
  private readonly prefix: string;
  private readonly clock: Clock;
  private readonly scripts = {
    register: new RedisScript('register'),
    heartbeat: new RedisScript('heartbeat'),
    sync: new RedisScript('sync'),
    reap: new RedisScript('reap'),
  };

  /** @param clock by which `since` of the entries is given */
  constructor(client: RedisClient, prefix: string, clock: Clock = steadyClock) {
    this.client = client;
    this.clock = clock;
    this.prefix = `${prefix}{presence}:`;
    this.channel = `${this.prefix}gone`;
  }

  async register(incarnation: string, { lease, before }: { lease: number; before: string }): Promise<void> {
    await this.scripts.register.run(
      this.client,
      [this.key('leases'), this.key('reaped')],
      [incarnation, lease, before, this.prefix],
    );
  }

  async heartbeat(incarnation: string, lease: number): Promise<LeaseState> {
    const keys = ['leases', 'reaped', 'quiet', 'clock'].map((name) => this.key(name));
    const [state, next] = (await this.scripts.heartbeat.run(this.client, keys, [incarnation, lease])) as [
      'alive' | 'reaped' | 'unknown',
      number?,
    ];
    if (state !== 'alive') return { state };
    return { state, nextExpiry: next === undefined || next < 0 ? undefined : next };
  }

  /** `lost`: the incarnation has no lease, and nothing was written. */
  async sync(incarnation: string, changes: readonly PresenceChange[]): Promise<SyncResult[] | 'lost'> {
    const now = this.clock.now();
    const operations = changes.map(({ entry, present }) =>
      JSON.stringify({
        c: entry.connection,
        d: entry.document,
        u: userKeyOf(entry),
        ...(present && {
          e: JSON.stringify({ ...entry, incarnation } satisfies StoredEntry),
          a: Math.round(now - entry.since),
        }),
      }),
    );
    const [state, ...results] = (await this.scripts.sync.run(
      this.client,
      [this.key('leases')],
      [this.prefix, incarnation, ...operations],
    )) as ['ok' | 'lost', ...SyncResult[]];
    return state === 'lost' ? 'lost' : results;
  }

  /** Removes some of what a dead instance left. */
  async reap(incarnation: string): Promise<{ left: PresenceEntry[]; more: boolean }> {
    const [state, more, ...left] = (await this.scripts.reap.run(
      this.client,
      [this.key('leases'), this.key('reaped'), this.key('quiet')],
      [this.prefix, incarnation, REAP_BATCH, this.channel],
    )) as ['none' | 'reaped', number, ...string[]];
    if (state === 'none') return { left: [], more: false };
    return { left: parseEntries(left), more: more === 1 };
  }

  async list(document: DocumentKey): Promise<PresenceEntry[]> {
    return parseEntries(await this.client.hvals(this.key(`document:${document}`)));
  }

  async listByUser(tenant: string, user: string): Promise<PresenceEntry[]> {
    const places = await this.client.hgetall(this.key(`person:${userKey(tenant, user)}`));
    const found = await Promise.all(
      Object.entries(places).map(([connection, document]) =>
        this.client.hget(this.key(`document:${document}`), connection),
      ),
    );
    return parseEntries(found.filter((entry) => entry !== null));
  }

  /** Ends an incarnation that has nothing entered. */
  async unregister(incarnation: string): Promise<void> {
    await this.client.zrem(this.key('leases'), incarnation);
  }

  private key(name: string): string {
    return this.prefix + name;
  }
}

/** A message on the channel: what was removed, and the incarnation that has done it. */
export interface Gone {
  readonly by: string | undefined;
  readonly entries: PresenceEntry[];
}

/** Of anything else nothing is taken. */
export function parseGone(message: string): Gone {
  const { by, entries: texts } = (parse(message) ?? {}) as {
    readonly by?: unknown;
    readonly entries?: unknown;
  };
  if (typeof by !== 'string' || !Array.isArray(texts)) return { by: undefined, entries: [] };
  return { by, entries: parseEntries(texts.filter((text) => typeof text === 'string')) };
}

function parseEntries(texts: readonly string[]): PresenceEntry[] {
  return texts.map(parse).filter(isEntry).map(withoutIncarnation);
}

function withoutIncarnation(stored: PresenceEntry): PresenceEntry {
  const { document, connection, person, device, clientIds, since, instance } = stored;
  return { document, connection, person, device, clientIds, since, instance };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isEntry(value: unknown): value is PresenceEntry {
  if (typeof value !== 'object' || value === null) return false;
  const { document, connection, person, clientIds, since } = value as Partial<Record<string, unknown>>;
  return (
    typeof document === 'string' &&
    typeof connection === 'string' &&
    typeof person === 'object' &&
    person !== null &&
    Array.isArray(clientIds) &&
    clientIds.every((client) => Number.isSafeInteger(client)) &&
    typeof since === 'number'
  );
}
