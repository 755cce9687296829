import { Cluster, Redis, type ClusterNode, type ClusterOptions, type RedisOptions } from 'ioredis';

/** Which Redis. Everything else of ioredis' options may be given and is passed on. */
export type RedisTarget =
  /** `redis://` or `rediss://` (TLS), with user and password when there are any. */
  | { readonly url: string; readonly options?: RedisOptions }
  /** Sentinels: `options: {sentinels, name, …}`. */
  | { readonly options: RedisOptions }
  | { readonly cluster: readonly ClusterNode[]; readonly options?: ClusterOptions };

export type RedisClient = Redis | Cluster;

/** Milliseconds. A Redis that does not even accept connections is no reason to wait longer. */
const CONNECT_TIMEOUT = 2000;
const MAX_RETRY_DELAY = 1000;

/**
 * Commands fail at once while Redis is away: what is published is a hint, and a queue of old hints would be sent
 * when nobody needs them any more. Not connected until `connect` is called.
 *
 * @param more options of every connection, beside those of the target
 */
export function createClient(target: RedisTarget, more: RedisOptions = {}): RedisClient {
  const retry = (times: number) => Math.min(MAX_RETRY_DELAY, 50 * times);
  if ('cluster' in target) {
    return new Cluster([...target.cluster], {
      clusterRetryStrategy: retry,
      ...target.options,
      redisOptions: { connectTimeout: CONNECT_TIMEOUT, ...target.options?.redisOptions, ...more },
      lazyConnect: true,
      enableOfflineQueue: false,
      // ioredis would send its own check into the queue that there is not, fail, and never become ready.
      enableReadyCheck: false,
    });
  }
  const options: RedisOptions = {
    retryStrategy: retry,
    connectTimeout: CONNECT_TIMEOUT,
    ...target.options,
    ...more,
    lazyConnect: true,
    enableOfflineQueue: false,
    autoResubscribe: false,
    maxRetriesPerRequest: 0,
  };
  return 'url' in target ? new Redis(target.url, options) : new Redis(options);
}

/** The target as it may be logged: no user, no password, no options. */
export function describeTarget(target: RedisTarget): string {
  if ('cluster' in target) return `a cluster of ${target.cluster.length} known nodes`;
  if ('url' in target) return hostOf(target.url);
  const { sentinels, name, host, port } = target.options;
  return sentinels ? `sentinels of ${name ?? 'unnamed'}` : `${host ?? 'localhost'}:${port ?? 6379}`;
}

function hostOf(url: string): string {
  try {
    return new URL(url).host;
  } catch {
    return 'an address that is no URL';
  }
}

/** ioredis puts the failed command and its arguments (AUTH and the password) on its errors: only the text is fit. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
