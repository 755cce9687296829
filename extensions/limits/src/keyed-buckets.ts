import { TokenBucket, type TokenBucketOptions } from './token-bucket.ts';

export interface KeyedBucketsOptions extends TokenBucketOptions {
  /** Buckets kept; the one that was asked longest ago goes first, and begins full again. */
  readonly maxKeys?: number;
}

/** A token bucket per key, made when it is first asked for. */
export class KeyedBuckets {
  private readonly options: KeyedBucketsOptions;
  private readonly maxKeys: number;
  private readonly buckets = new Map<string, TokenBucket>();

  constructor({ maxKeys = 50_000, ...options }: KeyedBucketsOptions) {
    this.options = options;
    this.maxKeys = maxKeys;
  }

  /** Takes `cost` as long as one token is left: what comes at once is let through once, and paid back afterwards. */
  admit(key: string, cost = 1): boolean {
    const bucket = this.of(key);
    if (!bucket.take()) return false;
    if (cost > 1) bucket.debit(cost - 1);
    return true;
  }

  /** See {@link TokenBucket.debit}. */
  debit(key: string, cost: number): void {
    this.of(key).debit(cost);
  }

  private of(key: string): TokenBucket {
    const bucket = this.buckets.get(key) ?? new TokenBucket(this.options);
    this.buckets.delete(key);
    this.buckets.set(key, bucket);
    if (this.buckets.size > this.maxKeys) {
      const [oldest] = this.buckets.keys();
      if (oldest !== undefined) this.buckets.delete(oldest);
    }
    return bucket;
  }
}
