import { nameOf, SYSTEM_ACTOR, WeftError } from '@weft/common';
import { decideUpdate } from '@weft/authorize';
import type { AppendEntry, Reauthorization } from '@weft/update-log';
import type { GatewayCore } from './core.ts';
import type { LiveDocument } from './live-document.ts';
import type { Written } from './written.ts';

/**
 * The barrier of a revocation: the log found that the permissions changed between the decision about an update and
 * its commit. Everything that waits is decided again under the permissions of now; what may not stand is replaced by
 * its own removal.
 */
export class Barrier {
  private readonly core: GatewayCore;

  constructor(core: GatewayCore) {
    this.core = core;
  }

  async decideAgain(
    document: LiveDocument,
    policyRev: number,
    entries: readonly AppendEntry[],
  ): Promise<readonly Reauthorization[]> {
    const accessOf = await this.core.access.refresh(
      document,
      entries.map((entry) => document.writtenOf(entry)?.principal),
    );
    return entries.map((entry) => {
      const written = document.writtenOf(entry);
      if (!written) return ownOf(entry);
      const { role } = accessOf(written.principal);
      if (role && decideUpdate(role, written.analysis).allow) return { verdict: 'commit' };
      this.refuse(document, written, policyRev);
      return { verdict: 'replace', update: document.takeBack(written) };
    });
  }

  private refuse({ key }: LiveDocument, written: Written, policyRev: number): void {
    const { analysis, session, principal, ticket } = written;
    this.core.dependencies.audit.record({
      tenant: principal.tenant,
      action: 'update.neutralized',
      actor: principal.user,
      document: nameOf(key),
      session: session?.id,
      detail: { policyRev },
    });
    written.refused = true;
    session?.acknowledgements.refuse(ticket);
    session?.sendRefused('access-removed', !analysis.deletes);
  }
}

/** The server's own rows are nobody's to refuse. A person's row whose decision is not known must not get in. */
function ownOf({ actor }: AppendEntry): Reauthorization {
  if (actor !== SYSTEM_ACTOR)
    throw new WeftError('internal', { detail: 'a row whose decision is not known' });
  return { verdict: 'commit' };
}
