import { createHmac } from 'node:crypto';
import {
  type Clock,
  type DocumentKey,
  nameOf,
  type Principal,
  readJson,
  systemClock,
  tenantOf,
  trustedUrl,
  WeftError,
} from '@weft/common';
import { affects, type PolicyChange } from '../pattern.ts';
import type { Role, RoleTable } from '../role.ts';
import type { GrantSource, Resolution, StopWatching } from '../source.ts';

const MIN_SECRET_BYTES = 32;
const MAX_ANSWER_BYTES = 16 * 1024;

export interface HttpGrantSourceOptions {
  /** HTTPS, or HTTP on this machine. */
  readonly url: string;
  /** Shared with the endpoint; at least 32 bytes. Signs each request. */
  readonly secret: string;
  readonly roles: RoleTable;
  readonly clock?: Clock;
  /** Milliseconds for which an answer holds. A revocation takes effect within it, or by {@link HttpGrantSource.changed}. */
  readonly ttl?: number;
  /** Milliseconds for one request. */
  readonly timeout?: number;
  /** Answers kept; the least recently asked goes first. */
  readonly maxCached?: number;
  /** Requests in flight; what comes beyond is refused as `permissions-unavailable`, which clients retry. */
  readonly maxInFlight?: number;
}

interface Asked {
  readonly key: DocumentKey;
  readonly revision: number;
}

interface Cached extends Asked {
  readonly resolution: Resolution & { readonly expiresAt: number };
}

/**
 * The integrator's own endpoint decides. It is asked with what the token proves and nothing else: no header,
 * cookie or address of the client is passed on, since the endpoint could take it for ours.
 */
export class HttpGrantSource implements GrantSource {
  private readonly url: URL;
  private readonly secret: string;
  private readonly roles: RoleTable;
  private readonly clock: Clock;
  private readonly ttl: number;
  private readonly timeout: number;
  private readonly maxCached: number;
  private readonly maxInFlight: number;
  private readonly cache = new Map<string, Cached>();
  private readonly asking = new Map<string, Promise<Resolution>>();
  private readonly listeners = new Set<(change: PolicyChange) => void>();
  /** Raised by every change: an answer that was on its way when it happened is not kept. */
  private generation = 0;

  /** @throws TypeError for an address that is not to be trusted, or a weak secret */
  constructor(options: HttpGrantSourceOptions) {
    this.url = trustedUrl(options.url, 'the permission endpoint');
    if (Buffer.byteLength(options.secret) < MIN_SECRET_BYTES) {
      throw new TypeError(`the permission endpoint's secret has fewer than ${MIN_SECRET_BYTES} bytes`);
    }
    this.secret = options.secret;
    this.roles = options.roles;
    this.clock = options.clock ?? systemClock;
    this.ttl = options.ttl ?? 10_000;
    this.timeout = options.timeout ?? 3_000;
    this.maxCached = options.maxCached ?? 10_000;
    this.maxInFlight = options.maxInFlight ?? 256;
  }

  async resolve(principal: Principal, key: DocumentKey, revision = 0): Promise<Resolution> {
    const question = questionOf(principal, key);
    const cached = this.cache.get(question);
    if (cached?.revision === revision && cached.resolution.expiresAt > this.clock.now()) {
      this.keep(question, cached);
      return cached.resolution;
    }
    return this.asking.get(`${revision} ${question}`) ?? this.ask(question, { key, revision });
  }

  async watch(onChange: (change: PolicyChange) => void): Promise<StopWatching> {
    this.listeners.add(onChange);
    return async () => {
      this.listeners.delete(onChange);
    };
  }

  /** To be called when the integrator says that rights have changed: asks again instead of waiting for the TTL. */
  changed(change: PolicyChange): void {
    this.generation += 1;
    for (const [question, { key }] of this.cache) {
      if (affects(change, key)) this.cache.delete(question);
    }
    // Who asks from now on must not join a request that may have been answered before the change.
    this.asking.clear();
    for (const listener of this.listeners) listener(change);
  }

  private ask(question: string, asked: Asked): Promise<Resolution> {
    const place = `${asked.revision} ${question}`;
    if (this.asking.size >= this.maxInFlight) throw unavailable(new Error('too many requests are in flight'));
    const generation = this.generation;
    const answer = this.request(question)
      .then((resolution) => {
        if (generation === this.generation) this.keep(question, { ...asked, resolution });
        return resolution;
      })
      .finally(() => {
        if (this.asking.get(place) === answer) this.asking.delete(place);
      });
    this.asking.set(place, answer);
    return answer;
  }

  private async request(question: string): Promise<Cached['resolution']> {
    try {
      const askedAt = this.clock.now();
      const timestamp = String(Math.floor(askedAt / 1_000));
      const response = await fetch(this.url, {
        method: 'POST',
        redirect: 'error',
        signal: AbortSignal.timeout(this.timeout),
        headers: {
          'content-type': 'application/json',
          accept: 'application/json',
          'weft-timestamp': timestamp,
          'weft-signature': signRequest(this.secret, timestamp, question),
        },
        body: question,
      });
      if (response.status !== 200) {
        await response.body?.cancel();
        throw new Error(`the permission endpoint answered ${response.status}`);
      }
      return this.parse(await readJson(response, MAX_ANSWER_BYTES), askedAt);
    } catch (cause) {
      throw unavailable(cause);
    }
  }

  /** `{"role": "editor" | null, "expiresAt"?: milliseconds since 1970}` and nothing else. */
  private parse(answer: unknown, askedAt: number): Cached['resolution'] {
    if (typeof answer !== 'object' || answer === null || Array.isArray(answer)) throw malformed();
    const { role, expiresAt = Infinity, ...rest } = answer as Record<string, unknown>;
    if (typeof expiresAt !== 'number' || Object.keys(rest).length > 0) throw malformed();
    const holds = expiresAt > this.clock.now();
    return { roles: this.rolesOf(role, holds), expiresAt: Math.min(askedAt + this.ttl, expiresAt) };
  }

  private rolesOf(name: unknown, holds: boolean): readonly Role[] {
    if (name === null) return [];
    const role = typeof name === 'string' ? this.roles.get(name) : undefined;
    if (!role) throw malformed();
    return holds ? [role] : [];
  }

  /** The most recently used last. */
  private keep(question: string, cached: Cached): void {
    this.cache.delete(question);
    this.cache.set(question, cached);
    if (this.cache.size <= this.maxCached) return;
    const [oldest] = this.cache.keys();
    if (oldest !== undefined) this.cache.delete(oldest);
  }
}

/**
 * The value of the header `weft-signature`, for endpoints that check it: HMAC-SHA256 over
 * `timestamp.body`, hexadecimal. Endpoints refuse timestamps (seconds since 1970) that are minutes old.
 */
export function signRequest(secret: string, timestamp: string, body: string): string {
  return `v1=${createHmac('sha256', secret).update(`${timestamp}.${body}`).digest('hex')}`;
}

/** The body of the request, and with that the cache's key: everything that the answer may depend on. */
function questionOf({ user, groups }: Principal, key: DocumentKey): string {
  return JSON.stringify({
    tenant: tenantOf(key),
    user,
    groups: [...groups].sort(),
    document: nameOf(key),
  });
}

function malformed(): Error {
  return new Error('the permission endpoint answered in another form than the documented one');
}

function unavailable(cause: unknown): WeftError {
  return new WeftError('permissions-unavailable', { cause });
}
