import type { Unsubscribe } from '@weft/common';
import { stampedUser } from '@weft/presence';
import type { GatewayCore } from './core.ts';
import type { Session } from './session.ts';

/** Tells the presence registry who is here. */
export class SessionPresence {
  private readonly core: GatewayCore;
  private unsubscribe: Unsubscribe | undefined;

  constructor(core: GatewayCore) {
    this.core = core;
  }

  start(): void {
    const { documents, awareness, dependencies } = this.core;
    this.unsubscribe = dependencies.registry.subscribe({
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
    this.unsubscribe?.();
  }

  /** Enters a session, or what has changed of it. */
  announce(session: Session): void {
    if (!session.access.role?.presence) return;
    this.core.dependencies.registry.announce({
      document: session.key,
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
