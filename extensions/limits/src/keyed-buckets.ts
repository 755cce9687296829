import { TokenBucket, type TokenBucketOptions } from './token-bucket.ts';

export interface KeyedBucketsOptions extends TokenBucketOptions {
  /** Buckets kept; the one that was asked longest ago goes first, and begins full again. */
  readonly maxKeys?: number;
}

/** Of the buckets asked longest ago, how many are looked at when a key comes: more go than come. */
const LOOKED_AT = 2;

/** A token bucket per key, made when it is first asked for and dropped some time after it is full again. */
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

  /** See {@link TokenBucket.isEmpty}. Makes no bucket. */
  isEmpty(key: string): boolean {
    return this.buckets.get(key)?.isEmpty ?? false;
  }

  /** Buckets that are kept now. */
  get size(): number {
    return this.buckets.size;
  }

  private of(key: string): TokenBucket {
    const known = this.buckets.get(key);
    if (known) this.buckets.delete(key);
    else this.makeRoom();
    const bucket = known ?? new TokenBucket(this.options);
    this.buckets.set(key, bucket);
    return bucket;
  }

  private makeRoom(): void {
    let left = LOOKED_AT;
    for (const [key, bucket] of this.buckets) {
      if (left-- === 0) return;
      if (bucket.isFull || this.buckets.size >= this.maxKeys) this.buckets.delete(key);
    }
  }
}
