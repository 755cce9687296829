import { WeftError, type Clock, type ErrorCode } from '@weft/common';
import { KeyedBuckets, TokenBucket, type TokenBucketOptions } from '@weft/limits';
import type { GatewayLimits } from '../limits.ts';

/**
 * Tokens that a connection may present, valid or not, besides one for each document that it may have open. Each costs a
 * signature: without a bound three connections that nobody knows kept a whole core busy with wrong ones.
 */
const PRESENTED = { rate: 10, burst: 100 } as const;

/** How many tokens a connection may present. Shared by the buckets of all. */
export function presentedTokens(
  { documentsPerSocket }: Pick<GatewayLimits, 'documentsPerSocket'>,
  clock: Clock,
): TokenBucketOptions {
  return { rate: PRESENTED.rate, burst: PRESENTED.burst + documentsPerSocket, clock };
}

/** What a token is refused with that has cost a signature. Whose key is not known yet has cost none. */
const WRONG: ReadonlySet<ErrorCode> = new Set(['token-invalid', 'token-expired']);

/**
 * How many wrong tokens an address may present, on however many connections: each new one comes with a burst of its own.
 * Only wrong ones count, since a whole office comes back at once after a restart.
 */
export function refusedTokens(
  { refusedTokensPerMinute: burst }: Pick<GatewayLimits, 'refusedTokensPerMinute'>,
  clock: Clock,
): KeyedBuckets {
  return new KeyedBuckets({ rate: burst / 60, burst, clock });
}

export interface InboundBoundsPorts {
  readonly limits: Pick<GatewayLimits, 'inboundQueueBytes' | 'preAuthBytes'>;
  readonly presented: TokenBucketOptions;
  /** By network address. */
  readonly refused: Pick<KeyedBuckets, 'isEmpty' | 'debit'>;
}

export interface InboundBoundsOptions {
  readonly ports: InboundBoundsPorts;
  /** Read no further while too much waits. */
  readonly webSocket: { pause(): void; resume(): void };
  /** Of the network. */
  readonly address: string;
}

/** What one connection may have the server keep and check: bytes of frames that wait, and tokens. */
export class InboundBounds {
  private readonly ports: InboundBoundsPorts;
  private readonly webSocket: InboundBoundsOptions['webSocket'];
  private readonly presented: TokenBucket;
  private readonly address: string;
  private trusted = false;
  private waiting = 0;
  private paused = false;

  constructor({ ports, webSocket, address }: InboundBoundsOptions) {
    this.ports = ports;
    this.address = address;
    this.webSocket = webSocket;
    this.presented = new TokenBucket(ports.presented);
  }

  /** A token has come, whatever it is worth. @throws WeftError `rate-limited` */
  presentsToken(): void {
    if (!this.presented.take()) throw new WeftError('rate-limited', { detail: 'tokens' });
    if (this.ports.refused.isEmpty(this.address)) {
      throw new WeftError('rate-limited', { detail: 'wrong tokens of this address' });
    }
  }

  /** Whoever presented a token was refused. */
  refusedWith(code: ErrorCode): void {
    if (WRONG.has(code)) this.ports.refused.debit(this.address, 1);
  }

  /** A token has been accepted. */
  authenticated(): void {
    this.trusted = true;
  }

  get isAuthenticated(): boolean {
    return this.trusted;
  }

  /** So many bytes more wait. @throws WeftError `frame-too-large` when nobody has been authenticated for them */
  queued(bytes: number): void {
    this.waiting += bytes;
    if (!this.trusted && this.waiting > this.ports.limits.preAuthBytes)
      throw new WeftError('frame-too-large');
    this.pauseOrResume();
  }

  /** So many bytes no longer wait. Does not throw: it is called where a session ends for any reason. */
  unqueued(bytes: number): void {
    this.waiting -= bytes;
    this.pauseOrResume();
  }

  private pauseOrResume(): void {
    const over = this.waiting > this.ports.limits.inboundQueueBytes;
    if (over === this.paused) return;
    this.paused = over;
    if (over) this.webSocket.pause();
    else this.webSocket.resume();
  }
}
