import type { AuditLog } from '@weft/audit';
import { nameOf, SYSTEM_ACTOR, WeftError } from '@weft/common';
import type { AppendEntry, Reauthorization } from '@weft/update-log';
import { refusalOf } from './may-write.ts';
import type { SessionAccess } from './session-access.ts';
import type { LiveDocument } from '../document/live-document.ts';
import { refusedBody } from '../wire/messages.ts';
import type { Written } from '../document/written.ts';

/** Each answer to one has all that the client knows to be deleted. A fresh copy costs less than very many. */
const MAX_QUESTIONS = 50;

export interface BarrierPorts {
  readonly access: Pick<SessionAccess, 'refresh'>;
  readonly audit: Pick<AuditLog, 'record'>;
}

/**
 * The barrier of a revocation: the log found that the permissions changed between the decision about an update and
 * its commit. Everything that waits is decided again under the permissions of now; what may not stand is replaced by
 * its own removal.
 */
export class Barrier {
  private readonly ports: BarrierPorts;

  constructor(ports: BarrierPorts) {
    this.ports = ports;
  }

  async decideAgain(
    document: LiveDocument,
    policyRev: number,
    entries: readonly AppendEntry[],
  ): Promise<readonly Reauthorization[]> {
    const accessOf = await this.ports.access.refresh(
      document,
      entries.map((entry) => document.writer.writtenOf(entry)?.principal),
    );
    const refused: Written[] = [];
    for (const entry of entries) {
      const written = document.writer.writtenOf(entry);
      if (written) written.refused = refusalOf(accessOf(written.principal).role, written.analysis);
      else requireOwn(entry);
      if (written?.refused) refused.push(written);
    }
    for (const written of refused) this.refuse(document, written, policyRev);
    // All at once: what of theirs stands on what else is taken back makes a difference.
    const removals = document.writer.takeBack(refused);
    for (const written of refused) settleWithAuthor(written);
    const removalOf = new Map(refused.map((written, index) => [written, removals[index] as Uint8Array]));
    return entries.map((entry) => {
      const written = document.writer.writtenOf(entry);
      const update = written && removalOf.get(written);
      return update ? { verdict: 'replace', update } : { verdict: 'commit' };
    });
  }

  private refuse({ key }: LiveDocument, written: Written, policyRev: number): void {
    const { analysis, session, principal, refused: code } = written;
    this.ports.audit.record({
      tenant: principal.tenant,
      action: 'update.neutralized',
      actor: principal.user,
      document: nameOf(key),
      session: session?.id,
      code,
      detail: { policyRev },
    });
    // Who has lost all access has been told of it, and the next session under the address may listen.
    if (code && session?.isOpen) session.sendNow(refusedBody(code, { repaired: !analysis.deletes }));
  }
}

/**
 * Whoever stays, with fewer rights, is asked for all that they have: what was never shown to anybody is found in their
 * copy, and the stock provider, which counts only what is acknowledged as done, comes to an end of counting.
 */
function settleWithAuthor({ session, ticket }: Written): void {
  if (!session) return;
  const refused = session.acknowledgements.refuse(ticket);
  if (!session.isOpen) return;
  if (refused > MAX_QUESTIONS) return session.end('document-rebuild');
  for (let asked = 0; asked < refused; asked++) session.askForSync();
}

/** The server's own rows are nobody's to refuse. A person's row whose decision is not known must not get in. */
function requireOwn({ actor }: AppendEntry): void {
  if (actor !== SYSTEM_ACTOR)
    throw new WeftError('internal', { detail: 'a row whose decision is not known' });
}
