import { WeftError, type Cursor, type DocumentKey, type Principal, type UpdateAnalysis } from '@weft/common';
import { claimsFor, decideUpdate, type Access, type ClientBindings } from '@weft/authorize';
import type { SessionAccess } from '../access/session-access.ts';
import type { CarriedClocks } from '../carried/carried-clocks.ts';
import type { LiveDocuments } from '../document/live-documents.ts';
import type { Walks } from '../guard/walks.ts';
import type { LiveDocument } from '../document/live-document.ts';
import type { Written } from '../document/written.ts';

export interface SubmissionsPorts {
  readonly access: Pick<SessionAccess, 'resolve' | 'hasEnded'>;
  readonly bindings: Pick<ClientBindings, 'bindAll'>;
  readonly walks: Walks;
  readonly clocks: CarriedClocks;
  readonly documents: Pick<LiveDocuments, 'use'>;
}

/** Updates that come over HTTP: the same guard, the same permissions, the same log, and no session. */
export class Submissions {
  private readonly ports: SubmissionsPorts;

  constructor(ports: SubmissionsPorts) {
    this.ports = ports;
  }

  /**
   * Applies and commits an update.
   *
   * @returns the position at which it is committed.
   * @throws WeftError the refusal; `update-missing-dependencies` when it builds on what the server doesn't have;
   *   `document-rebuild` when it says something else about clocks that were carried.
   */
  async submit(principal: Principal, key: DocumentKey, update: Uint8Array): Promise<Cursor> {
    const access = await this.ports.access.resolve(principal, key);
    if (!access.role?.read) throw new WeftError('document-not-found');
    const { policyRev } = access;
    return this.ports.documents.use({ key, policyRev }, (live) =>
      this.write(live, principal, access, update),
    );
  }

  private async write(
    live: LiveDocument,
    principal: Principal,
    access: Access,
    update: Uint8Array,
  ): Promise<Cursor> {
    const { walks, clocks } = this.ports;
    const work = { principal, document: live.document, update };
    const authors = await walks.later(work, (analysis) => complete(analysis).authors);
    await this.bindAuthors(principal, live.key, authors);
    await clocks.learn(live);
    // Again, since the document may have changed meanwhile.
    const written = await walks.later(work, (analysis) => {
      if (clocks.contradicted(live, update)) throw new WeftError('document-rebuild');
      return this.commit(live, principal, access, complete(analysis));
    });
    const cursor = await live.settled();
    if (written.refused) throw new WeftError(written.refused);
    return cursor;
  }

  private async commit(
    live: LiveDocument,
    principal: Principal,
    access: Access,
    analysis: UpdateAnalysis,
  ): Promise<Written> {
    const { role } = access;
    const written: Written = {
      principal,
      session: undefined,
      policyRev: access.policyRev,
      analysis,
      kind: 'edit',
      ticket: 0,
      refused: undefined,
    };
    if (!analysis.noop) {
      // Whoever asks again is answered by what holds now.
      if (this.ports.access.hasEnded(access)) throw new WeftError('permissions-unavailable');
      const decision = role && decideUpdate(role, analysis);
      if (!decision?.allow) throw new WeftError(decision?.code ?? 'write-forbidden');
      await live.writer.commit(written);
    }
    return written;
  }

  private async bindAuthors(
    principal: Principal,
    key: DocumentKey,
    authors: readonly { readonly client: number }[],
  ): Promise<void> {
    const { bindings } = this.ports;
    const clients = authors.map(({ client }) => client);
    const outcomes = await bindings.bindAll(key, clients, principal.user, {
      claims: claimsFor(principal, key),
    });
    if (outcomes.includes('taken')) throw new WeftError('client-id-taken');
  }
}

function complete(analysis: UpdateAnalysis): UpdateAnalysis {
  if (analysis.missing.length > 0) throw new WeftError('update-missing-dependencies');
  return analysis;
}
