import {
  type DocumentKey,
  type Logger,
  type Principal,
  type Service,
  silentLogger,
  tenantOf,
  type Unsubscribe,
  WeftError,
} from '@weft/common';
import type { PolicyChange } from './pattern.ts';
import { type Role, strongestOf } from './role.ts';
import type { Given, GrantSource, Resolution, StopWatching, Visible } from './source.ts';

/** What somebody may do with a document at the moment of asking. */
export interface Access {
  /** `undefined`: nothing, and they must not learn that the document exists. */
  readonly role: Role | undefined;
  /** What the log compares when it commits; 0 when no source has revisions or there is no such document. */
  readonly policyRev: number;
  /** Milliseconds since 1970 until which this holds; ask again then, before the next decision. */
  readonly expiresAt: number | undefined;
}

const NO_ACCESS: Access = { role: undefined, policyRev: 0, expiresAt: undefined };

export type ResolveOptions = Pick<Given, 'beyond'>;

export interface GateOptions {
  /** All that may give rights; a person has the union. */
  readonly sources: readonly GrantSource[];
  readonly logger?: Logger;
}

/** The one place that says who may do what. It keeps no answers: sessions hold their own, and watch for changes. */
export class Gate implements Service {
  private readonly sources: readonly GrantSource[];
  private readonly revised: readonly GrantSource[];
  private readonly others: readonly GrantSource[];
  private readonly logger: Logger;
  private readonly listeners = new Set<(change: PolicyChange) => void>();
  private stops: StopWatching[] = [];

  constructor({ sources, logger = silentLogger }: GateOptions) {
    this.sources = sources;
    this.revised = sources.filter((source) => source.revisions !== undefined);
    this.others = sources.filter((source) => source.revisions === undefined);
    this.logger = logger;
  }

  /** Begins to hear of changes. Resolving works without. */
  async start(): Promise<void> {
    const started = await Promise.allSettled(
      this.sources.map(async (source) => source.watch?.((change) => this.tell(change))),
    );
    for (const result of started) {
      if (result.status === 'fulfilled' && result.value) this.stops.push(result.value);
    }
    const failed = started.find((result) => result.status === 'rejected');
    if (!failed) return;
    await this.stop();
    throw failed.reason;
  }

  async stop(): Promise<void> {
    const stops = this.stops;
    this.stops = [];
    await Promise.allSettled(stops.map((stop) => stop()));
  }

  /**
   * One source that cannot answer means no answer, also when another would have said yes: a source may be
   * the one that takes rights away.
   *
   * First those who have revisions, then the others: an answer that is older than the revision beside it would pass the
   * barrier, although the change that the revision stands for was about that very answer. What the tenant means by the
   * names of roles that the others give comes with the revision for the same reason, and so costs no query of its own.
   *
   * @throws WeftError `permissions-unavailable`
   */
  async resolve(principal: Principal, key: DocumentKey, { beyond }: ResolveOptions = {}): Promise<Access> {
    if (tenantOf(key) !== principal.tenant) return NO_ACCESS;
    try {
      const names = [...new Set(this.others.flatMap((source) => source.names?.(principal, key) ?? []))];
      const revised = await Promise.all(
        this.revised.map((source) => source.resolve(principal, key, { names })),
      );
      const given = { revision: newestOf(revised), own: revised.find(({ own }) => own)?.own, beyond };
      const others = await Promise.all(this.others.map((source) => source.resolve(principal, key, given)));
      return combine([...revised, ...others]);
    } catch (cause) {
      this.logger.warn({ err: cause, document: key }, 'permissions cannot be checked');
      throw cause instanceof WeftError ? cause : new WeftError('permissions-unavailable', { cause });
    }
  }

  /** The documents for a person's list, by name or `prefix*`, with the right to read them. */
  async visible(principal: Principal): Promise<readonly { pattern: string; role: Role }[]> {
    const found = await Promise.all(this.sources.map(async (source) => source.visible?.(principal) ?? []));
    const rolesByPattern = new Map<string, Role[]>();
    for (const { pattern, roles } of found.flat() satisfies Visible[]) {
      rolesByPattern.set(pattern, [...(rolesByPattern.get(pattern) ?? []), ...roles]);
    }
    return [...rolesByPattern].flatMap(([pattern, roles]) => {
      const role = strongestOf(roles);
      return role?.read ? [{ pattern, role }] : [];
    });
  }

  /** Calls back on every change until it is unsubscribed. Changes may be lost: poll {@link revisions} too. */
  watch(listener: (change: PolicyChange) => void): Unsubscribe {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** The current policy revisions, in one query for all; a key without any has 0. */
  async revisions(keys: readonly DocumentKey[]): Promise<ReadonlyMap<DocumentKey, number>> {
    const [source] = this.revised;
    return (await source?.revisions?.(keys)) ?? new Map(keys.map((key) => [key, 0]));
  }

  private tell(change: PolicyChange): void {
    for (const listener of this.listeners) {
      try {
        listener(change);
      } catch (err) {
        this.logger.error({ err, ...change }, 'a listener to permission changes failed');
      }
    }
  }
}

function combine(resolutions: readonly Resolution[]): Access {
  const ends = resolutions.flatMap(({ expiresAt }) => expiresAt ?? []);
  return {
    role: strongestOf(resolutions.flatMap(({ roles }) => roles)),
    policyRev: newestOf(resolutions),
    expiresAt: ends.length > 0 ? Math.min(...ends) : undefined,
  };
}

function newestOf(resolutions: readonly Resolution[]): number {
  return Math.max(0, ...resolutions.map(({ policyRev }) => policyRev ?? 0));
}
