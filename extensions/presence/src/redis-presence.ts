import { randomUUID } from 'node:crypto';
import {
  noMetrics,
  everyBeat,
  steadyClock,
  type Clock,
  type DocumentKey,
  type Logger,
  type Metrics,
  type Unsubscribe,
} from '@weft/common';
import { Cluster } from 'ioredis';
import { Listeners } from './listeners.ts';
import { LocalPresence, oldestFirst } from './local-presence.ts';
import { parseGone, PresenceStore, type PresenceChange, type SyncResult } from './presence-store.ts';
import { Reaper } from './reaper.ts';
import type { RedisClient } from './redis-script.ts';
import { UntoldChanges } from './untold-changes.ts';
import {
  PRESENCE_GRACE_MS,
  type PresenceAnnouncement,
  type PresenceEntry,
  type PresenceListener,
  type PresenceRegistry,
} from './registry.ts';

export interface RedisPresenceOptions {
  /** Makes a connection; called twice, as a subscribing one can do nothing else. */
  readonly connect: () => RedisClient;
  readonly instance: string;
  /** Begins every key. */
  readonly prefix?: string;
  /** Milliseconds that a broken connection, or those of an instance that stops, stay entered. */
  readonly grace?: number;
  /** Milliseconds between two renewals of this instance's lease. */
  readonly heartbeat?: number;
  /** Milliseconds after which an instance that does not renew is dead, and its people with it. */
  readonly lease?: number;
  /** Milliseconds that an answer of Redis may take. */
  readonly timeout?: number;
  /** By which `since` of what is announced is given. */
  readonly clock?: Clock;
  readonly logger: Logger;
  readonly metrics?: Metrics;
}

export const redisPresenceDefaults = {
  prefix: 'weft:',
  grace: PRESENCE_GRACE_MS,
  heartbeat: 3000,
  // Below the ten seconds that a ghost may last: the last renewal, the lease, and the reaping are within them.
  lease: 9000,
  timeout: 1500,
  clock: steadyClock,
} as const;

const SYNC_BATCH = 100;
/** Unanswered renewals after which the connection is made anew. */
const RESET_AFTER = 4;

/**
 * The registry of many instances. Each keeps its own connections in memory and brings Redis up to date with them,
 * in batches, one at a time; so whatever Redis forgets is told again by itself. What keeps the entries of an
 * instance alive is one lease, however many they are.
 */
export class RedisPresence implements PresenceRegistry {
  private readonly options: Required<Omit<RedisPresenceOptions, 'metrics' | 'connect'>>;
  private readonly connect: () => RedisClient;
  private readonly listeners: Listeners;
  private readonly local: LocalPresence;
  private readonly reaper: Reaper;
  private readonly meters;
  private client!: RedisClient;
  private subscriber!: RedisClient;
  private store!: PresenceStore;
  private incarnation = '';
  private running = false;
  private registered = false;
  private onAnswer: () => void = () => undefined;
  private readonly untold = new UntoldChanges();
  private syncing: Promise<void> | undefined;
  private beating: Promise<void> | undefined;
  private answeredAt = -Infinity;
  private unanswered = 0;
  private refused = false;
  private stopBeats: (() => void) | undefined;

  constructor({ metrics = noMetrics, connect, ...options }: RedisPresenceOptions) {
    this.options = { ...redisPresenceDefaults, ...options };
    this.connect = connect;
    this.listeners = new Listeners(options.logger);
    this.meters = {
      reaped: metrics.counter('weft_presence_reaped_total', 'People who left with an instance that died'),
      leasesLost: metrics.counter('weft_presence_leases_lost_total', 'Leases of this instance that ended', [
        'why',
      ]),
    };
    this.local = new LocalPresence({
      instance: options.instance,
      grace: this.options.grace,
      changed: (entry) => this.tell({ entry, present: true }),
      removed: (entry) => this.tell({ entry, present: false }),
    });
    this.reaper = new Reaper({
      mayReap: () => {
        const { running, registered, store, incarnation } = this;
        return running && registered ? { store, incarnation } : undefined;
      },
      left: (entry) => {
        this.meters.reaped.inc();
        this.listeners.left(entry);
      },
    });
  }

  /**
   * Waits a moment for Redis: an instance that has just started would else say that nobody is anywhere. Until it is
   * there the registry knows this instance's people.
   */
  async start(): Promise<void> {
    this.client = this.connect();
    this.subscriber = this.connect();
    this.store = new PresenceStore(this.client, this.options.prefix, this.options.clock);
    this.running = true;
    for (const client of [this.client, this.subscriber]) {
      // Not the error itself: it carries the command, which may be AUTH with the password.
      client.on('error', (error: Error) => {
        this.options.logger.debug({ error: error.message }, 'Redis connection error');
      });
    }
    this.subscriber.on('ready', () => this.subscribeGone());
    this.subscriber.on('message', (_channel: string, message: string) => this.gone(message));
    this.client.on('ready', () => this.beat());
    for (const client of [this.client, this.subscriber]) {
      if (client.status === 'wait') client.connect().catch(() => undefined);
    }
    if (this.subscriber.status === 'ready') this.subscribeGone();
    const answered = new Promise<void>((resolve) => (this.onAnswer = resolve));
    this.stopBeats = everyBeat(
      () => this.period(),
      () => this.beat(),
    );
    this.beat();
    await this.withTimeout(answered).catch(() => undefined);
  }

  /**
   * What is still entered stays so for the grace: people of an instance that restarts come back on another one.
   * Whoever does not is then removed by the others.
   */
  async stop(): Promise<void> {
    if (!this.running) return;
    this.running = false;
    this.stopBeats?.();
    await this.withTimeout(this.handOver()).catch(() => undefined);
    this.local.clear();
    this.untold.clear();
    this.client.disconnect();
    this.subscriber.disconnect();
    await Promise.allSettled([this.syncing, this.beating, this.reaper.stop()]);
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
    return (await this.inDocument(document)) ?? this.local.inDocument(document);
  }

  async listByUser(tenant: string, user: string): Promise<PresenceEntry[]> {
    const found = await this.ask(
      (store) => store.listByUser(tenant, user),
      (entry) => entry.person.id === user && entry.document.startsWith(`${tenant}/`),
    );
    return found ?? this.local.ofUser(tenant, user);
  }

  async clientsIn(document: DocumentKey): Promise<ReadonlySet<number> | undefined> {
    const found = await this.inDocument(document);
    return found && new Set(found.flatMap(({ clientIds }) => clientIds));
  }

  subscribe(listener: PresenceListener): Unsubscribe {
    return this.listeners.add(listener);
  }

  // ── reading ────────────────────────────────────────────────────────────────

  private inDocument(document: DocumentKey): Promise<PresenceEntry[] | undefined> {
    return this.ask(
      (store) => store.list(document),
      (entry) => entry.document === document,
    );
  }

  /** What Redis says, corrected by what this instance knows better; `undefined` while it cannot be asked. */
  private async ask(
    read: (store: PresenceStore) => Promise<PresenceEntry[]>,
    matches: (entry: PresenceEntry) => boolean,
  ): Promise<PresenceEntry[] | undefined> {
    if (!this.registered || this.away) return undefined;
    try {
      return oldestFirst(this.untold.correct(await this.withTimeout(read(this.store)), matches));
    } catch {
      return undefined;
    }
  }

  private get away(): boolean {
    return performance.now() - this.answeredAt > this.options.heartbeat + this.options.timeout;
  }

  private withTimeout<T>(promise: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error('Redis does not answer')), this.options.timeout);
      promise.then(resolve, reject).finally(() => clearTimeout(timer));
    });
  }

  // ── telling Redis ──────────────────────────────────────────────────────────

  private tell(change: PresenceChange): void {
    this.untold.add(change);
    this.sync();
  }

  private sync(): void {
    if (!this.registered || this.syncing || this.untold.empty) return;
    this.syncing = this.syncAll()
      .catch(() => undefined)
      .finally(() => {
        this.syncing = undefined;
      });
  }

  /** A failure ends it; the next heartbeat begins again. */
  private async syncAll(): Promise<void> {
    // What is announced in the same turn goes together.
    await new Promise((resolve) => setImmediate(resolve));
    while (this.registered && !this.untold.empty) {
      const changes = this.untold.first(SYNC_BATCH);
      const results = await this.store.sync(this.incarnation, changes);
      if (results === 'lost') {
        this.registered = false;
        this.beat();
        return;
      }
      changes.forEach((change, index) => this.told(change, results[index] ?? ''));
    }
  }

  private told(change: PresenceChange, result: SyncResult): void {
    const { entry } = change;
    this.untold.told(change);
    if (result === 'joined' && !change.known) this.listeners.joined(entry);
    if (result === 'left') this.listeners.left(entry);
    if (result === 'superseded') this.local.forget(entry.connection);
  }

  // ── the lease ──────────────────────────────────────────────────────────────

  private beat(): void {
    if (!this.running) return;
    if (this.beating) return this.unansweredBeat();
    this.beating = this.renew()
      .then(() => {
        this.answeredAt = performance.now();
        this.unanswered = 0;
        this.accepted();
        this.sync();
        this.onAnswer();
      })
      .catch((error: unknown) => this.failed(error))
      .finally(() => {
        this.beating = undefined;
      });
  }

  /** That Redis is away shows elsewhere; one that answers and refuses (full, a replica, an account without rights) does not. */
  private failed(error: unknown): void {
    if (!(error instanceof Error) || error.name !== 'ReplyError' || this.refused) return;
    this.refused = true;
    this.options.logger.warn({ reason: error.message }, 'Redis refuses to keep who is where');
  }

  private accepted(): void {
    if (this.refused) this.options.logger.info({}, 'Redis keeps who is where again');
    this.refused = false;
  }

  /** While Redis is away it is looked for more often. */
  private period(): number {
    return this.away ? Math.min(500, this.options.heartbeat) : this.options.heartbeat;
  }

  private unansweredBeat(): void {
    if (++this.unanswered < RESET_AFTER || this.client instanceof Cluster) return;
    this.unanswered = 0;
    this.client.disconnect(true);
  }

  private async renew(): Promise<void> {
    const { lease } = this.options;
    if (this.incarnation === '') return this.register('new');
    const found = await this.store.heartbeat(this.incarnation, lease);
    if (found.state !== 'alive') return this.register(found.state);
    this.registered = true;
    this.reaper.due(found.nextExpiry);
  }

  /** A new incarnation: whatever is late of the old one is refused by the scripts. */
  private async register(why: 'new' | 'reaped' | 'unknown'): Promise<void> {
    this.registered = false;
    const before = this.incarnation;
    const incarnation = `${this.options.instance}#${randomUUID()}`;
    await this.store.register(incarnation, { lease: this.options.lease, before });
    this.incarnation = incarnation;
    if (why !== 'new') this.startAgain(why);
    this.registered = true;
    this.reaper.due(0);
  }

  private startAgain(why: 'reaped' | 'unknown'): void {
    this.meters.leasesLost.inc({ why });
    this.options.logger.warn({ why }, 'The lease was lost; everybody here is entered anew');
    // Reaped: the others have told that these people left, those whose connection is broken included.
    if (why === 'reaped') for (const { connection } of this.local.broken()) this.local.forget(connection);
    const over = this.untold.beginAnew(this.local, why);
    if (why === 'reaped') return;
    for (const entry of over) {
      if (!this.local.has(entry.document, entry.person.id)) this.listeners.left(entry);
    }
  }

  private async handOver(): Promise<void> {
    await this.syncing;
    if (this.incarnation === '' || !this.registered) return;
    if (this.local.size === 0) await this.store.unregister(this.incarnation);
    else await this.store.heartbeat(this.incarnation, this.options.grace);
  }

  // ── the dead ───────────────────────────────────────────────────────────────

  private subscribeGone(): void {
    this.subscriber.subscribe(this.store.channel).catch(() => undefined);
  }

  private gone(message: string): void {
    const { by, entries } = parseGone(message);
    const reapedBy = by === this.incarnation ? 'us' : 'another';
    const clients = new Map<DocumentKey, number[]>();
    for (const { document, clientIds } of entries) {
      clients.set(document, [...(clients.get(document) ?? []), ...clientIds]);
    }
    for (const [document, ids] of clients) {
      if (ids.length > 0) this.listeners.clientsGone(document, ids, reapedBy);
    }
  }
}
