import { setTimeout as delay } from 'node:timers/promises';
import type { Logger, Notifications } from '@weft/common';
import pg from 'pg';

const FIRST_RETRY_MS = 200;
const LAST_RETRY_MS = 3_000;
const HEARTBEAT_MS = 30_000;

type OnPayload = (payload: string) => void;

export interface ListenerOptions {
  readonly client: pg.ClientConfig;
  readonly logger: Logger;
}

/**
 * LISTEN on a connection of its own, that comes back by itself. While it is away notifications are lost; that is
 * what the port promises, and why every user of it also polls.
 */
export class Listener implements Notifications {
  private readonly options: ListenerOptions;
  private readonly channels = new Map<string, Set<OnPayload>>();
  private readonly stopping = new AbortController();
  private client: pg.Client | undefined;
  private loop: Promise<void> | undefined;
  private refused: unknown;

  constructor(options: ListenerOptions) {
    this.options = options;
  }

  /** Resolves when the database listens, or as soon as it is known to be away. */
  async listen(channel: string, onPayload: OnPayload): Promise<() => Promise<void>> {
    const callbacks = this.channels.get(channel) ?? new Set();
    const isNew = callbacks.size === 0;
    this.channels.set(channel, callbacks.add(onPayload));
    if (!this.loop) await this.begin();
    else if (isNew) await this.tell('LISTEN', channel);
    return async () => {
      callbacks.delete(onPayload);
      if (callbacks.size > 0 || !this.channels.delete(channel)) return;
      await this.tell('UNLISTEN', channel);
    };
  }

  /** Why the database could not be reached when it was last tried; `undefined`: it could. */
  get refusedBecause(): unknown {
    return this.refused;
  }

  async close(): Promise<void> {
    this.stopping.abort();
    this.channels.clear();
    await this.client?.end().catch(() => undefined);
    await this.loop;
  }

  private async tell(verb: 'LISTEN' | 'UNLISTEN', channel: string): Promise<void> {
    // A failure ends the connection, and the next one listens to all channels.
    await this.client?.query(`${verb} ${pg.escapeIdentifier(channel)}`).catch(() => undefined);
  }

  private begin(): Promise<void> {
    return new Promise((resolve) => {
      this.loop = this.run(resolve);
    });
  }

  private async run(tried: () => void): Promise<void> {
    let pause = FIRST_RETRY_MS;
    while (!this.stopping.signal.aborted) {
      try {
        const { ended } = await this.connect();
        pause = FIRST_RETRY_MS;
        if (this.refused !== undefined)
          this.options.logger.info({}, 'the notification connection is there again');
        this.refused = undefined;
        tried();
        await ended;
      } catch (error) {
        this.refused = error;
        this.options.logger.warn({ err: error }, 'the notification connection failed');
        tried();
      }
      this.client = undefined;
      await delay(pause * (0.5 + Math.random()), undefined, { signal: this.stopping.signal }).catch(
        () => undefined,
      );
      pause = Math.min(pause * 2, LAST_RETRY_MS);
    }
    tried();
  }

  /** Resolves, when all channels are listened to, with what resolves at the connection's end. */
  private async connect(): Promise<{ ended: Promise<void> }> {
    const client = new pg.Client(this.options.client);
    const ended = new Promise<void>((resolve) => client.once('end', () => resolve()));
    // 'end' follows every 'error'; without a listener the error would be thrown.
    client.on('error', () => undefined);
    client.on('notification', ({ channel, payload }) => this.dispatch(channel, payload ?? ''));
    await client.connect();
    try {
      for (const channel of this.channels.keys())
        await client.query(`LISTEN ${pg.escapeIdentifier(channel)}`);
    } catch (error) {
      await client.end().catch(() => undefined);
      throw error;
    }
    this.client = client;
    const heartbeat = setInterval(() => {
      client.query('SELECT 1').catch(() => void client.end().catch(() => undefined));
    }, HEARTBEAT_MS);
    heartbeat.unref();
    return { ended: ended.finally(() => clearInterval(heartbeat)) };
  }

  private dispatch(channel: string, payload: string): void {
    for (const onPayload of this.channels.get(channel) ?? []) {
      try {
        onPayload(payload);
      } catch (error) {
        this.options.logger.error({ err: error, channel }, 'a notification could not be handled');
      }
    }
  }
}
