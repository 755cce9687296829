import { everyBeat, type Logger } from '@weft/common';
import { Cluster } from 'ioredis';
import type { Meters } from './meters.ts';
import {
  createClient,
  describeTarget,
  messageOf,
  type RedisClient,
  type RedisTarget,
} from './redis-options.ts';

export interface RedisLinkOptions {
  readonly target: RedisTarget;
  /** A channel of this process alone: letters to it, and its own signs of life, which must come back. */
  readonly inbox: string;
  readonly logger: Logger;
  readonly meters: Meters;
  /** Milliseconds between two signs of life. */
  readonly heartbeat: number;
  /** Milliseconds without one after which Redis counts as away. */
  readonly silence: number;
  /** Bytes on their way to Redis. More are dropped. */
  readonly maxPendingBytes: number;
  readonly onMessage: (channel: string, message: Buffer) => void;
  /** Messages come through, for the first time or again. All channels are to be subscribed. */
  readonly onUp: () => void;
  readonly onDown: () => void;
}

const SIGN_OF_LIFE = Buffer.from('.');
/**
 * Silence in which not even a reconnect was tried, as multiples of `silence`: the connection itself is given up. Where
 * sentinels are, the next one leads to whom they have made master of those whose old one hangs.
 */
const GIVE_UP = 2;

/**
 * A publishing and a subscribing connection, and whether messages really come through them: a sign of life is
 * published to a channel of this process and must arrive. That also finds what no socket reports: a Redis that
 * hangs, a half-open connection, a lost subscription. Where messages of this process come back anyway they are the
 * sign of life; so is a message of another one, together with a subscriber who got one of this process.
 */
export class RedisLink {
  readonly cluster: boolean;
  private readonly options: RedisLinkOptions;
  private readonly pub: RedisClient;
  private readonly sub: RedisClient;
  private up = false;
  private stopped = true;
  /** That Redis is away has been said. */
  private said = false;
  /** What the connections last said of it. */
  private reason: string | undefined;
  private pendingBytes = 0;
  private beating = false;
  /** A sign was due while one was on its way, which may have been published before anybody had subscribed. */
  private anotherSign = false;
  private cameBack = false;
  /** Since the last beat something was received, and something reached a subscriber. */
  private received = false;
  private reached = false;
  /**
   * Signs of life that were due since the last one was heard, and since the last reset. Not the time: to a process
   * that was held up for seconds everything is late, Redis or not.
   */
  private unheard = 0;
  private sinceReset = 0;
  private stopBeats: (() => void) | undefined;

  constructor(options: RedisLinkOptions) {
    this.options = options;
    this.cluster = 'cluster' in options.target;
    this.pub = createClient(options.target);
    this.sub = createClient(options.target);
  }

  get connected(): boolean {
    return this.up;
  }

  start(): void {
    this.stopped = false;
    const redis = describeTarget(this.options.target);
    for (const client of [this.pub, this.sub]) {
      client.on('error', (error: unknown) => {
        this.reason = messageOf(error);
        this.options.logger.debug({ redis, error: this.reason }, 'Redis connection error');
      });
      client.on('close', () => this.down());
      client.connect().catch(() => undefined);
    }
    this.pub.on('ready', () => this.sendSign());
    this.sub.on('ready', () => void this.subscribe([this.options.inbox]).then(() => this.sendSign()));
    this.sub.on('messageBuffer', (channel: Buffer, message: Buffer) => {
      this.receive(channel.toString(), message);
    });
    this.stopBeats = everyBeat(this.options.heartbeat, () => this.beat());
  }

  stop(): void {
    this.stopped = true;
    this.stopBeats?.();
    this.up = false;
    this.pub.disconnect();
    this.sub.disconnect();
  }

  /** Resolves to whether Redis has taken the subscription; never rejects. */
  async subscribe(channels: readonly string[]): Promise<boolean> {
    if (channels.length === 0) return true;
    try {
      await this.sub.subscribe(...channels);
      return true;
    } catch {
      return false;
    }
  }

  unsubscribe(channel: string): void {
    this.sub.unsubscribe(channel).catch(() => undefined);
  }

  /**
   * Publishes, or drops and counts while Redis is away or slow. `delivered` is told how many subscribers Redis
   * sent it to; in a cluster that is only those of one node.
   */
  publish(channel: string, message: Buffer, delivered?: (subscribers: number) => void): void {
    const { meters, maxPendingBytes } = this.options;
    if (!this.up) return meters.dropped.inc({ reason: 'away' });
    if (this.pendingBytes + message.length > maxPendingBytes)
      return meters.dropped.inc({ reason: 'backlog' });
    this.pendingBytes += message.length;
    this.pub.publish(channel, message).then(
      (subscribers) => {
        this.pendingBytes -= message.length;
        if (subscribers > 0) this.reached = true;
        delivered?.(subscribers);
      },
      () => {
        this.pendingBytes -= message.length;
        meters.dropped.inc({ reason: 'failed' });
      },
    );
  }

  /** A message that this process published has come back. */
  heardOwn(): void {
    this.unheard = 0;
    this.cameBack = true;
  }

  private receive(channel: string, message: Buffer): void {
    if (channel !== this.options.inbox || !message.equals(SIGN_OF_LIFE)) {
      this.received = true;
      return this.options.onMessage(channel, message);
    }
    this.unheard = 0;
    if (this.up || this.stopped) return;
    this.up = true;
    this.said = false;
    this.reason = undefined;
    this.options.logger.info({ redis: describeTarget(this.options.target) }, 'Redis connects the instances');
    this.options.onUp();
  }

  private beat(): void {
    const alive = this.cameBack || (this.received && this.reached);
    this.cameBack = this.received = this.reached = false;
    if (this.up && alive) {
      this.unheard = 0;
      return;
    }
    const allowed = this.options.silence / this.options.heartbeat;
    this.unheard += 1;
    this.sinceReset += 1;
    if (this.unheard > allowed) {
      this.down();
      // Also of one that was never there: nothing else would show that its address is wrong.
      this.sayAway();
    }
    if (Math.min(this.unheard, this.sinceReset) > allowed * GIVE_UP) this.reset();
    if (!this.up) void this.subscribe([this.options.inbox]);
    this.sendSign();
  }

  private sendSign(): void {
    this.anotherSign = this.beating;
    if (this.beating) return;
    this.beating = true;
    this.pub
      .publish(this.options.inbox, SIGN_OF_LIFE)
      .catch(() => undefined)
      .finally(() => {
        this.beating = false;
        if (this.anotherSign) this.sendSign();
      });
  }

  private down(): void {
    if (!this.up) return;
    this.up = false;
    if (this.stopped) return;
    this.sayAway();
    this.options.onDown();
  }

  private sayAway(): void {
    if (this.said) return;
    this.said = true;
    this.options.logger.warn(
      { redis: describeTarget(this.options.target), reason: this.reason },
      'Redis is away; the log goes on alone',
    );
  }

  private reset(): void {
    this.sinceReset = 0;
    for (const client of [this.pub, this.sub]) {
      // A cluster client looks after its nodes itself, and would not come back from a disconnect.
      if (!(client instanceof Cluster)) client.disconnect(true);
    }
  }
}
