import { randomBytes } from 'node:crypto';
import {
  noMetrics,
  type CommittedUpdate,
  type Cursor,
  type DocumentKey,
  type Logger,
  type Metrics,
  type Service,
  type Unsubscribe,
} from '@weft/common';
import type { DocumentChannel, DocumentHandlers } from './document-channel.ts';
import { encodeFrame, encodeLetter, SENDER_BYTES, type Frame } from './frame.ts';
import { createMeters, type Meters } from './meters.ts';
import { OpenDocuments } from './open-documents.ts';
import { Received } from './received.ts';
import { RedisLink } from './redis-link.ts';
import type { RedisTarget } from './redis-options.ts';

export interface RedisBackplaneOptions {
  readonly redis: RedisTarget;
  /** Begins every channel, so that installations can share a Redis. */
  readonly prefix?: string;
  readonly logger: Logger;
  readonly metrics?: Metrics;
  /** Milliseconds between two signs of life through Redis, where nothing else shows that it lives. */
  readonly heartbeat?: number;
  /** Milliseconds without one after which Redis counts as away. */
  readonly silence?: number;
  /** Milliseconds that opening a document waits for a Redis that does not answer. */
  readonly joinTimeout?: number;
  /** Milliseconds of presence that are published together; in a crowd it is longer. */
  readonly awarenessTick?: number;
  /** Bytes of one message, sent or taken. Larger rows are not published: peers are told to read the log. */
  readonly maxMessageBytes?: number;
  /** Bytes on their way to Redis. More are dropped. */
  readonly maxPendingBytes?: number;
}

export const backplaneDefaults = {
  prefix: 'weft:',
  heartbeat: 1000,
  silence: 3000,
  joinTimeout: 500,
  awarenessTick: 25,
  maxMessageBytes: 2 * 1024 * 1024,
  maxPendingBytes: 8 * 1024 * 1024,
} as const;

export interface BackplaneListener {
  /** Messages do not come through. */
  down?(): void;
  /** They do again, and every document is subscribed: what was missed is to be looked for now. */
  up?(): void;
}

/** Channels of one SUBSCRIBE. */
const SUBSCRIBE_BATCH = 1000;

/**
 * Carries committed rows, presence and stateless messages between the processes that have a document open. At
 * most once: whatever it loses is in the log. Nothing is queued while Redis is away, and nothing is published
 * while nobody else has the document open.
 */
export class RedisBackplane implements Service {
  private readonly options: Required<Omit<RedisBackplaneOptions, 'metrics' | 'redis'>>;
  private readonly meters: Meters;
  private readonly link: RedisLink;
  /** Not the instance's name: two processes may be configured with the same. */
  private readonly sender = randomBytes(SENDER_BYTES);
  private readonly documents: OpenDocuments;
  private readonly listeners = new Set<BackplaneListener>();
  private recovering = false;

  constructor({ redis, metrics = noMetrics, ...options }: RedisBackplaneOptions) {
    this.options = { ...backplaneDefaults, ...options };
    this.meters = createMeters(metrics);
    this.documents = new OpenDocuments(`${this.options.prefix}document:`);
    const { logger, heartbeat, silence, maxPendingBytes } = this.options;
    const inbox = this.inboxOf(this.sender.toString('base64url'));
    const received = new Received({
      ...this.options,
      inbox,
      sender: this.sender,
      documents: this.documents,
      meters: this.meters,
      heardOwn: () => this.link.heardOwn(),
      // Everything committed here before this answer and not published is below its cursor.
      answer: (document) => this.greet(document, { wantsReply: false }),
    });
    this.link = new RedisLink({
      target: redis,
      inbox,
      logger,
      meters: this.meters,
      heartbeat,
      silence,
      maxPendingBytes,
      onMessage: (channel, message) => received.take(channel, message),
      onUp: () => void this.recover(),
      onDown: () => this.down(),
    });
  }

  /** Whether messages come through at present. */
  get connected(): boolean {
    return this.link.connected;
  }

  /** Does not wait for Redis: without it the log alone connects the instances. */
  async start(): Promise<void> {
    this.meters.connected.set(0);
    this.link.start();
  }

  async stop(): Promise<void> {
    for (const { key } of this.documents.all()) this.leave(key);
    this.link.stop();
  }

  listen(listener: BackplaneListener): Unsubscribe {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /**
   * From now on `handlers` get what others publish about the document. Join, then load it from the log: what is
   * committed in between is published or in the log. Resolves when Redis has taken the subscription, or has not
   * answered in time; never rejects.
   */
  async join(key: DocumentKey, handlers: DocumentHandlers): Promise<void> {
    const document = this.documents.add(key, handlers);
    if (!this.connected) return;
    const subscribed = this.link.subscribe([document.channel]).then((taken) => {
      if (taken && this.documents.has(document)) this.hello(document);
    });
    await withTimeout(subscribed, this.options.joinTimeout);
  }

  leave(key: DocumentKey): void {
    const document = this.documents.get(key);
    if (!document) return;
    // Also what this tick still holds: it may be the removal of the last person.
    if (!document.awareness.empty)
      this.publish(document, { kind: 'awareness', update: document.awareness.take() });
    document.awareness.end();
    if (document.hasPeers) this.publish(document, { kind: 'bye' });
    this.documents.remove(document);
    this.link.unsubscribe(document.channel);
  }

  /** Asks who has the document open and how far they are. For when rows turn out not to be delivered. */
  announce(key: DocumentKey): void {
    const document = this.documents.get(key);
    if (document) this.hello(document);
  }

  /** Consecutive rows of one document that this process has committed. */
  publishUpdates(rows: readonly CommittedUpdate[]): void {
    const [first] = rows;
    const document = first && this.documents.get(first.document);
    if (!document || !this.wanted(document, 'updates')) return;
    this.publish(document, { kind: 'updates', rows, awareness: document.awareness.along() });
  }

  /** Whether another instance has the document open, as far as this one knows. */
  isShared(key: DocumentKey): boolean {
    return this.documents.get(key)?.hasPeers ?? false;
  }

  /**
   * y-protocols awareness update. Sent with the others of the same tick.
   * @param people how many are present in the document
   */
  publishAwareness(key: DocumentKey, update: Uint8Array, people: number): void {
    const document = this.documents.get(key);
    if (!document || !this.wanted(document, 'awareness')) return;
    const send = (batch: Uint8Array) => this.publish(document, { kind: 'awareness', update: batch });
    try {
      document.awareness.add(update, { tick: this.options.awarenessTick, people, send });
    } catch {
      this.meters.dropped.inc({ reason: 'malformed' });
    }
  }

  publishStateless(key: DocumentKey, payload: string): void {
    const document = this.documents.get(key);
    if (document && this.wanted(document, 'stateless'))
      this.publish(document, { kind: 'stateless', payload });
  }

  private wanted(document: DocumentChannel, kind: Frame['kind']): boolean {
    if (!document.hasPeers) {
      this.meters.skipped.inc({ kind });
      return false;
    }
    if (this.link.cluster && document.shouldProbe(performance.now())) this.hello(document);
    return true;
  }

  private hello(document: DocumentChannel): void {
    this.greet(document, { wantsReply: true });
  }

  private greet(
    document: DocumentChannel,
    {
      wantsReply,
      cursor = document.handlers.position(),
    }: { wantsReply: boolean; cursor?: Cursor | undefined },
  ): void {
    this.publish(document, { kind: 'hello', wantsReply, number: document.number, cursor });
  }

  private publish(document: DocumentChannel, frame: Frame): void {
    const now = performance.now();
    const peer = forEverybody(frame) ? undefined : document.onlyPeer(now, this.options.heartbeat);
    const message = peer
      ? encodeLetter(peer.number, { sender: this.sender, frame, told: document.told })
      : encodeFrame(this.sender, frame);
    if (message.length > this.options.maxMessageBytes) return this.tooLarge(document, frame);
    if (!peer) document.publishedAt = now;
    this.meters.published.inc({ kind: frame.kind });
    this.meters.publishedBytes.inc({ kind: frame.kind }, message.length);
    this.link.publish(peer ? this.inboxOf(peer.sender) : document.channel, message, (subscribers) => {
      if (!this.link.cluster)
        this.delivered(document, { others: peer ? subscribers : subscribers - 1, sentAt: now });
    });
  }

  /** @param sender as {@link senderOf} gives it */
  private inboxOf(sender: string): string {
    return `${this.options.prefix}to:${sender}`;
  }

  private tooLarge(document: DocumentChannel, frame: Frame): void {
    this.meters.dropped.inc({ reason: 'too-large' });
    if (frame.kind !== 'updates') return;
    if (frame.awareness) this.publish(document, { kind: 'awareness', update: frame.awareness });
    const last = frame.rows.at(-1);
    if (!last) return;
    this.greet(document, { wantsReply: false, cursor: { epoch: last.epoch, seq: last.seq } });
  }

  private delivered(document: DocumentChannel, { others, sentAt }: { others: number; sentAt: number }): void {
    if (!this.documents.has(document)) return;
    if (others <= 0) document.nobodyHeard(sentAt);
    // Not even this process: the subscription has been lost.
    if (others < 0) void this.recover();
  }

  /** Messages come through: subscribe everything, say hello everywhere, look for what was missed. */
  private async recover(): Promise<void> {
    if (this.recovering) return;
    this.recovering = true;
    try {
      const channels = this.documents.all().map(({ channel }) => channel);
      for (let from = 0; from < channels.length; from += SUBSCRIBE_BATCH) {
        if (!(await this.link.subscribe(channels.slice(from, from + SUBSCRIBE_BATCH)))) return;
      }
      for (const document of this.documents.all()) this.hello(document);
    } finally {
      this.recovering = false;
    }
    if (!this.connected) return;
    this.meters.connected.set(1);
    this.meters.reconnects.inc();
    this.tell((listener) => listener.up?.());
  }

  private down(): void {
    this.meters.connected.set(0);
    this.tell((listener) => listener.down?.());
  }

  private tell(call: (listener: BackplaneListener) => void): void {
    for (const listener of this.listeners) {
      try {
        call(listener);
      } catch (error) {
        this.options.logger.error({ err: error }, 'A backplane listener failed');
      }
    }
  }
}

/** Those who have just opened the document are not known yet, and whoever leaves tells all. */
function forEverybody({ kind }: Frame): boolean {
  return kind === 'hello' || kind === 'bye';
}

function withTimeout(promise: Promise<void>, milliseconds: number): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, milliseconds);
    void promise.finally(() => {
      clearTimeout(timer);
      resolve();
    });
  });
}
