import type { AuditLog } from '@weft/audit';
import type { ClientBindings } from '@weft/authorize';
import { nameOf, type ClockRange } from '@weft/common';
import { findEquivocation, type GuardLimits } from '@weft/guard';
import type { Session } from '../session/session.ts';
import { refusedBody } from '../wire/messages.ts';
import type { CarriedClocks } from './carried-clocks.ts';

export interface EquivocationPorts {
  readonly guardLimits: Partial<GuardLimits>;
  readonly audit: Pick<AuditLog, 'record'>;
  readonly bindings: Pick<ClientBindings, 'ownerOf'>;
  readonly clocks: Pick<CarriedClocks, 'contradicted'>;
}

/**
 * Somebody says something else about clocks than what the document has at them, as an author can about what others
 * carried, and two carriers: their copy and everybody else's would stay different for ever.
 */
export class Equivocation {
  private readonly ports: EquivocationPorts;

  constructor(ports: EquivocationPorts) {
    this.ports = ports;
  }

  /** Refuses an update that says something else about clocks that were carried. @returns whether it does. */
  refuse(session: Session, update: Uint8Array): boolean {
    const range = this.ports.clocks.contradicted(session.document, update);
    if (!range) return false;
    session.document.answers.owe(session, false);
    this.end(session, range);
    return true;
  }

  /** The first clocks of which an update says something else than the document of the session. */
  find({ document: { document } }: Session, update: Uint8Array): ClockRange | undefined {
    return findEquivocation(document, update, { limits: this.ports.guardLimits });
  }

  /** Ends the session of whoever has the other content: they start from a fresh copy. */
  end(session: Session, { client, clock, length }: ClockRange): void {
    const { audit, bindings } = this.ports;
    const { tenant, user } = session.principal;
    audit.record({
      tenant,
      action: 'update.equivocation',
      actor: user,
      document: nameOf(session.key),
      session: session.id,
      code: 'document-rebuild',
      detail: { author: bindings.ownerOf(session.key, client), client, clock, length },
    });
    session.sendNow(refusedBody('client-id-taken', { repaired: false }));
    session.end('document-rebuild');
  }
}
