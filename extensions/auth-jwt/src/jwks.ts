import { type Clock, readJson, trustedUrl, UnusableAnswer, WeftError } from '@weft/common';
import { JwksClient } from 'jwks-rsa';
import { publicKey, type VerificationKey } from './keys.ts';

const MAX_BYTES = 256 * 1024;
const MAX_KEYS = 100;

export interface JwksOptions {
  readonly url: string;
  readonly clock: Clock;
  /** Milliseconds after which the set counts no more. From half of it on it is fetched again. */
  readonly maxAge: number;
  /** Milliseconds between two fetches, whatever the tokens ask for. */
  readonly cooldown: number;
  /** Milliseconds for one fetch. */
  readonly timeout: number;
}

/**
 * The key set of one issuer. The whole set is kept, not single keys: a library cache by `kid` in front of a
 * rate limiter lets anybody spend the limiter with invented kids, and then nobody's key can be renewed.
 */
export class JwksKeys {
  private readonly client: JwksClient;
  private readonly options: JwksOptions;
  private keys: ReadonlyMap<string, VerificationKey> = new Map();
  private fetchedAt = -Infinity;
  private triedAt = -Infinity;
  private fetching: Promise<void> | undefined;
  private failure: unknown;

  constructor(options: JwksOptions) {
    const url = trustedUrl(options.url, 'the JWKS address');
    this.options = options;
    this.client = new JwksClient({
      jwksUri: url.href,
      cache: false,
      rateLimit: false,
      fetcher: (address) => fetchKeySet(address, options.timeout),
    });
  }

  /**
   * The key of this id.
   *
   * @throws WeftError `token-invalid` when the issuer has no such key, `token-key-unknown` when it may have one that
   * cannot be asked for yet, `permissions-unavailable` when the set cannot be had or is too old to be trusted
   */
  async get(kid: string): Promise<VerificationKey> {
    const asked = this.options.clock.now();
    if (this.isStale() || !this.keys.has(kid)) await this.refresh();
    // In time, and waited for by nobody: else an issuer that is away for the moment in which the set ends refuses all.
    else if (this.age() >= this.options.maxAge / 2) void this.refresh();
    if (this.isStale()) {
      throw new WeftError('permissions-unavailable', {
        detail: 'the key set cannot be fetched',
        cause: this.failure,
      });
    }
    const key = this.keys.get(kid);
    if (key) return key;
    // Only a set that was fetched since can say no for good: the keys may have been changed after an older one.
    const isAnswered = this.fetchedAt >= asked;
    throw new WeftError(isAnswered ? 'token-invalid' : 'token-key-unknown', {
      detail: 'the key set has no key of this kid',
    });
  }

  private isStale(): boolean {
    return this.age() >= this.options.maxAge;
  }

  private age(): number {
    return this.options.clock.now() - this.fetchedAt;
  }

  private refresh(): Promise<void> {
    if (this.fetching) return this.fetching;
    const now = this.options.clock.now();
    if (now - this.triedAt < this.options.cooldown) return Promise.resolve();
    this.triedAt = now;
    this.fetching = this.fetch(now).finally(() => (this.fetching = undefined));
    return this.fetching;
  }

  private async fetch(now: number): Promise<void> {
    try {
      const keys = new Map<string, VerificationKey>();
      for (const jwk of await this.client.getSigningKeys()) {
        const { kid, alg } = jwk;
        const key = usableKey(jwk.getPublicKey());
        // A key that its issuer keeps for another algorithm is none of ours.
        if (kid && key && (alg ?? key.algorithm) === key.algorithm) keys.set(kid, key);
      }
      this.keys = keys;
      this.fetchedAt = now;
    } catch (error) {
      // The set that is known stays in use until it is too old.
      this.failure = error;
    }
  }
}

function usableKey(pem: string): VerificationKey | undefined {
  try {
    return publicKey(pem);
  } catch {
    return undefined;
  }
}

async function fetchKeySet(url: string, timeout: number): Promise<{ keys: unknown[] }> {
  const response = await fetch(url, {
    // A redirect would move the root of all trust to an address that nobody configured.
    redirect: 'manual',
    signal: AbortSignal.timeout(timeout),
    headers: { accept: 'application/json' },
  });
  if (response.status !== 200) throw new UnusableAnswer(`the key set's answer is ${response.status}`);
  const body = await readJson(response, MAX_BYTES);
  const keys = typeof body === 'object' && body !== null ? (body as { keys?: unknown }).keys : undefined;
  if (!Array.isArray(keys) || keys.length === 0 || keys.length > MAX_KEYS) {
    throw new UnusableAnswer(`the answer is not a set of 1 to ${MAX_KEYS} keys`);
  }
  return { keys };
}
