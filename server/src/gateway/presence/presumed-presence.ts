import type { Clock } from '@weft/common';

/** A Yjs client of another instance, and when anything was last told of it. */
export interface Elsewhere {
  readonly client: number;
  readonly at: number;
}

/** What is known of presence in the documents that are open here. */
export interface PresencePort<Document> {
  documents(): Iterable<Document>;
  /** Who is shown here and was brought by other instances. */
  elsewhere(document: Document): readonly Elsewhere[];
  /** Tells the people here of these once more. */
  renew(document: Document, clients: readonly number[]): void;
  /** Takes these away from the people here. */
  remove(document: Document, clients: readonly number[]): void;
  /** For whom some instance stands; `undefined` while that cannot be found out. Never rejects. */
  clientsIn(document: Document): Promise<ReadonlySet<number> | undefined>;
}

export interface PresumedPresenceOptions<Document> {
  readonly port: PresencePort<Document>;
  readonly clock: Clock;
  /** Milliseconds of silence after which somebody is told of once more. */
  readonly renewAfter?: number;
  /** Milliseconds after which nobody is presumed to be there any longer. */
  readonly presumeFor?: number;
  /** Milliseconds after which, Redis being back, whoever is not entered has left. */
  readonly settleAfter?: number;
}

export const presumedPresenceDefaults = {
  // Yjs clients drop whom they have not heard of for 30 s.
  renewAfter: 10_000,
  presumeFor: 5 * 60_000,
  // Longer than a lease: by then whatever instance lives has entered its people again, and the others are dead.
  settleAfter: 10_000,
} as const;

/**
 * While Redis is away nothing is heard from people of other instances, and whether these live cannot be asked. They are
 * presumed to be there: clients, who drop the silent, are told of them again. When Redis is back, what the registry
 * says settles it.
 */
export class PresumedPresence<Document> {
  private readonly options: Required<PresumedPresenceOptions<Document>>;
  private awaySince: number | undefined;
  private backAt: number | undefined;
  private settling: Promise<void> | undefined;

  constructor(options: PresumedPresenceOptions<Document>) {
    this.options = { ...presumedPresenceDefaults, ...options };
  }

  /** Other instances are not heard. */
  away(): void {
    this.awaySince ??= this.options.clock.now();
    this.backAt = undefined;
  }

  /** They are again. */
  back(): void {
    if (this.awaySince !== undefined) this.backAt = this.options.clock.now();
  }

  /** To be called every second or so. */
  sweep(): void {
    if (this.awaySince === undefined) return;
    const now = this.options.clock.now();
    if (this.backAt === undefined) {
      if (now - this.awaySince <= this.options.presumeFor) this.renew(now);
      return;
    }
    if (now - this.backAt < this.options.settleAfter || this.settling) return;
    this.settling = this.settle(this.backAt).finally(() => (this.settling = undefined));
  }

  private renew(now: number): void {
    const { port, renewAfter } = this.options;
    for (const document of port.documents()) {
      const silent = clientsOf(port.elsewhere(document), ({ at }) => now - at >= renewAfter);
      if (silent.length > 0) port.renew(document, silent);
    }
  }

  /** One document after another: after an outage every instance asks. What cannot be answered is asked again later. */
  private async settle(backAt: number): Promise<void> {
    const { port } = this.options;
    const unheard = (document: Document) => clientsOf(port.elsewhere(document), ({ at }) => at <= backAt);
    for (const document of [...port.documents()]) {
      if (unheard(document).length === 0) continue;
      const present = await port.clientsIn(document);
      if (!present || this.backAt !== backAt) return;
      const gone = unheard(document).filter((client) => !present.has(client));
      if (gone.length > 0) port.remove(document, gone);
    }
    this.awaySince = this.backAt = undefined;
  }
}

function clientsOf(found: readonly Elsewhere[], wanted: (one: Elsewhere) => boolean): number[] {
  return found.filter(wanted).map(({ client }) => client);
}
