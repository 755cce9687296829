import type { Clock, DocumentKey, Unsubscribe } from '@weft/common';
import type { PresenceRegistry } from '@weft/presence';
import type { RedisBackplane } from '@weft/redis-backplane';
import type { LiveDocument } from '../document/live-document.ts';
import type { AwarenessRelay } from './awareness-relay.ts';
import { PresumedPresence } from './presumed-presence.ts';

export interface AbsentPeoplePorts {
  readonly clock: Clock;
  readonly registry: Pick<PresenceRegistry, 'subscribe' | 'clientsIn'>;
  readonly backplane: Pick<RedisBackplane, 'listen'> | undefined;
  readonly awareness: Pick<AwarenessRelay, 'renew' | 'remove' | 'removeEverywhere'>;
  readonly documents: { all(): Iterable<LiveDocument>; get(key: DocumentKey): LiveDocument | undefined };
}

/** Takes from the screens who is no longer anywhere, by what the presence registry says, and only them. */
export class AbsentPeople {
  private readonly ports: AbsentPeoplePorts;
  private readonly presumed: PresumedPresence<LiveDocument>;
  private readonly unsubscribes: (Unsubscribe | undefined)[] = [];

  constructor(ports: AbsentPeoplePorts) {
    this.ports = ports;
    const { clock, documents, awareness, registry } = ports;
    this.presumed = new PresumedPresence({
      clock,
      port: {
        documents: () => documents.all(),
        elsewhere: (live) => (live.isOpen ? live.awareness.elsewhere() : []),
        renew: (document, clients) => awareness.renew(document, clients),
        remove: (document, clients) => awareness.remove(document, clients),
        clientsIn: ({ key }) => registry.clientsIn(key),
      },
    });
  }

  start(): void {
    const { presumed } = this;
    this.unsubscribes.push(
      this.followRegistry(),
      this.ports.backplane?.listen({ down: () => presumed.away(), up: () => presumed.back() }),
    );
  }

  private followRegistry(): Unsubscribe {
    const { documents, awareness, registry } = this.ports;
    return registry.subscribe({
      clientsGone: (key, clients, reapedBy) => {
        const document = documents.get(key);
        if (!document?.isOpen) return;
        // All are told; one tells those again who missed it, and not each of them everybody.
        if (reapedBy === 'us') awareness.removeEverywhere(document, clients);
        else awareness.remove(document, clients);
      },
    });
  }

  stop(): void {
    for (const unsubscribe of this.unsubscribes.splice(0)) unsubscribe?.();
  }

  /** To be called every second. */
  sweep(): void {
    this.presumed.sweep();
  }
}
