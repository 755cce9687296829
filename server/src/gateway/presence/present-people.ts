import { stampedUser, type PresenceRegistry } from '@weft/presence';
import type { Leaving } from '../session/client.ts';
import type { Session } from '../session/session.ts';

/** Tells the presence registry who is here, on behalf of their sessions. */
export class PresentPeople {
  private readonly registry: Pick<PresenceRegistry, 'announce' | 'leave' | 'lose'>;

  constructor(registry: Pick<PresenceRegistry, 'announce' | 'leave' | 'lose'>) {
    this.registry = registry;
  }

  /** Enters a session, or what has changed of it; one that may not show presence is not entered. */
  announce(session: Session): void {
    if (!session.access.role?.presence) return this.registry.leave(session.id);
    this.registry.announce({
      document: session.document.key,
      connection: session.id,
      person: stampedUser(session.principal),
      device: undefined,
      clientIds: session.document.awareness.clientsOf(session),
      since: session.openedAt,
    });
  }

  left(session: Session, leaving: Leaving): void {
    if (leaving === 'at-once') this.registry.leave(session.id);
    else this.registry.lose(session.id);
  }
}
