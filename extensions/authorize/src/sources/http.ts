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
  UnusableAnswer,
  WeftError,
} from '@weft/common';
import { affects, type PolicyChange } from '../pattern.ts';
import { isRoleName, type Role, type RoleTable } from '../role.ts';
import type { Given, GrantSource, OwnRoles, Resolution, RoleDefinitions, StopWatching } from '../source.ts';

const MIN_SECRET_BYTES = 32;
const MAX_ANSWER_BYTES = 16 * 1024;
/**
 * Milliseconds for which an answer holds after it came, however long it was on its way: one that has ended by then is of
 * no use to those who wait for it.
 */
const LEAST_HOLD = 100;

export interface HttpGrantSourceOptions {
  /** HTTPS, or HTTP on this machine. */
  readonly url: string;
  /** Shared with the endpoint; at least 32 bytes. Signs each request. */
  readonly secret: string;
  readonly roles: RoleTable;
  /** The tenants' own roles, for an answer whose role the gate did not bring along. Without: those of `roles` only. */
  readonly definitions?: RoleDefinitions;
  readonly clock?: Clock;
  /** Milliseconds for which an answer holds. A revocation takes effect within it, or by {@link HttpGrantSource.changed}. */
  readonly ttl?: number;
  /** Milliseconds for one request. */
  readonly timeout?: number;
  /** Answers kept; the least recently asked goes first. */
  readonly maxCached?: number;
  /**
   * Requests in flight, of which one person has half at most; what comes beyond is refused as
   * `permissions-unavailable`, which clients retry.
   */
  readonly maxInFlight?: number;
}

interface Asked {
  readonly key: DocumentKey;
  readonly revision: number;
}

/** What the endpoint said. What a tenant means by the role's name may change while this holds. */
interface Answer {
  readonly role: string | null;
  /** Milliseconds since 1970 until which it is given to whoever asks. */
  readonly keptUntil: number;
  /** Milliseconds since 1970 until which it holds for who was given it. */
  readonly expiresAt: number;
}

interface Asking {
  readonly person: string;
  readonly answer: Promise<Answer>;
}

interface Cached extends Asked {
  readonly answer: Answer;
}

/**
 * The integrator's own endpoint decides. It is asked with what the token proves and nothing else: no header,
 * cookie or address of the client is passed on, since the endpoint could take it for ours.
 */
export class HttpGrantSource implements GrantSource {
  private readonly url: URL;
  private readonly secret: string;
  private readonly roles: RoleTable;
  private readonly definitions: RoleDefinitions | undefined;
  private readonly clock: Clock;
  private readonly ttl: number;
  private readonly timeout: number;
  private readonly maxCached: number;
  private readonly maxInFlight: number;
  private readonly cache = new Map<string, Cached>();
  private readonly asking = new Map<string, Asking>();
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
    this.definitions = options.definitions;
    this.clock = options.clock ?? systemClock;
    this.ttl = options.ttl ?? 10_000;
    this.timeout = options.timeout ?? 3_000;
    this.maxCached = options.maxCached ?? 10_000;
    this.maxInFlight = options.maxInFlight ?? 256;
  }

  /** What was answered last is likely to be answered again. */
  names(principal: Principal, key: DocumentKey): readonly string[] {
    const name = this.cache.get(questionOf(principal, key))?.answer.role;
    return name && !this.roles.get(name) ? [name] : [];
  }

  async resolve(principal: Principal, key: DocumentKey, given: Given = {}): Promise<Resolution> {
    const question = questionOf(principal, key);
    const answer = await this.answerTo(
      principal,
      question,
      { key, revision: given.revision ?? 0 },
      given.beyond,
    );
    const { role: name, expiresAt } = answer;
    if (name === null) return { roles: [], expiresAt };
    const role = await this.roleOf(tenantOf(key), name, given.own);
    if (role) return { roles: [role], expiresAt };
    // Like every answer that cannot be used, it is not remembered.
    if (this.cache.get(question)?.answer === answer) this.cache.delete(question);
    throw unavailable(new UnusableAnswer(`the permission endpoint named a role that there is not: ${name}`));
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

  private async answerTo(principal: Principal, question: string, asked: Asked, beyond = 0): Promise<Answer> {
    const cached = this.cache.get(question);
    const end = Math.max(this.clock.now(), beyond);
    if (cached?.revision === asked.revision && cached.answer.keptUntil > end) {
      this.keep(question, cached);
      return cached.answer;
    }
    const asking = this.asking.get(`${asked.revision} ${question}`);
    return asking ? asking.answer : this.ask(principal, question, asked);
  }

  /** A definition that is newer than the revision is safe: the barrier sends the update back to be decided again. */
  private async roleOf(tenant: string, name: string, own: OwnRoles | undefined): Promise<Role | undefined> {
    const known = this.roles.get(name) ?? own?.get(name);
    return known ?? (await this.definitions?.find(tenant, [name]))?.get(name);
  }

  private ask({ user }: Principal, question: string, asked: Asked): Promise<Answer> {
    const place = `${asked.revision} ${question}`;
    const person = `${tenantOf(asked.key)} ${user}`;
    this.requireRoom(person);
    const generation = this.generation;
    const answer = this.request(question)
      .then((said) => {
        if (generation === this.generation) this.keep(question, { ...asked, answer: said });
        return said;
      })
      .finally(() => {
        if (this.asking.get(place)?.answer === answer) this.asking.delete(place);
      });
    this.asking.set(place, { person, answer });
    return answer;
  }

  private requireRoom(person: string): void {
    let own = 0;
    for (const asking of this.asking.values()) if (asking.person === person) own += 1;
    if (this.asking.size < this.maxInFlight && own < Math.ceil(this.maxInFlight / 2)) return;
    throw unavailable(new Error('too many requests are in flight'));
  }

  private async request(question: string): Promise<Answer> {
    try {
      const askedAt = this.clock.now();
      const timestamp = String(Math.floor(askedAt / 1_000));
      const response = await fetch(this.url, {
        method: 'POST',
        redirect: 'manual',
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
        throw new UnusableAnswer(`the permission endpoint answered ${response.status}`);
      }
      return this.parse(await readJson(response, MAX_ANSWER_BYTES), askedAt);
    } catch (cause) {
      throw unavailable(cause);
    }
  }

  /** `{"role": "editor" | null, "expiresAt"?: milliseconds since 1970}` and nothing else. */
  private parse(answer: unknown, askedAt: number): Answer {
    if (typeof answer !== 'object' || answer === null || Array.isArray(answer)) throw malformed();
    const { role, expiresAt = Infinity, ...rest } = answer as Record<string, unknown>;
    if (typeof expiresAt !== 'number' || Object.keys(rest).length > 0) throw malformed();
    if (role !== null && !isRoleName(role)) throw malformed();
    const now = this.clock.now();
    const holds = expiresAt > now;
    return {
      role: holds ? role : null,
      keptUntil: Math.min(askedAt + this.ttl, expiresAt),
      expiresAt: Math.min(Math.max(askedAt + this.ttl, now + LEAST_HOLD), expiresAt),
    };
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

function malformed(): UnusableAnswer {
  return new UnusableAnswer('the permission endpoint answered in another form than the documented one');
}

function unavailable(cause: unknown): WeftError {
  return new WeftError('permissions-unavailable', { cause });
}
