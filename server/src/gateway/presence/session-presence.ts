import type { Unsubscribe } from '@weft/common';
import { stampedUser } from '@weft/presence';
import type { GatewayCore } from '../core.ts';
import type { LiveDocument } from '../document/live-document.ts';
import { PresumedPresence } from './presumed-presence.ts';
import type { Session } from '../session/session.ts';

/** Tells the presence registry who is here, and takes from it who is no longer anywhere. */
export class SessionPresence {
  private readonly core: GatewayCore;
  private readonly presumed: PresumedPresence<LiveDocument>;
  private readonly unsubscribes: (Unsubscribe | undefined)[] = [];

  constructor(core: GatewayCore) {
    this.core = core;
    this.presumed = new PresumedPresence({
      clock: core.clock,
      port: {
        documents: () => core.documents.all(),
        elsewhere: ({ awareness }) => awareness?.elsewhere() ?? [],
        renew: (document, clients) => core.awareness.renew(document, clients),
        remove: (document, clients) => core.awareness.remove(document, clients),
        clientsIn: ({ key }) => core.dependencies.registry.clientsIn(key),
      },
    });
  }

  start(): void {
    const { backplane } = this.core.dependencies;
    const { presumed } = this;
    this.unsubscribes.push(
      this.followRegistry(),
      backplane?.listen({ down: () => presumed.away(), up: () => presumed.back() }),
    );
  }

  private followRegistry(): Unsubscribe {
    const { documents, awareness, dependencies } = this.core;
    return dependencies.registry.subscribe({
      clientsGone: (key, clients, reapedBy) => {
        const document = documents.get(key);
        if (!document?.awareness) return;
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

  /** Enters a session, or what has changed of it. */
  announce(session: Session): void {
    if (!session.access.role?.presence) return;
    this.core.dependencies.registry.announce({
      document: session.document.key,
      connection: session.id,
      person: stampedUser(session.principal),
      device: undefined,
      clientIds: session.document.awareness.clientsOf(session),
      since: session.openedAt,
    });
  }

  left(session: Session): void {
    const { registry } = this.core.dependencies;
    if (session.leftCleanly) registry.leave(session.id);
    else registry.lose(session.id);
  }
}
