import {
  documentKey,
  isDatabaseAway,
  toWeftError,
  WeftError,
  type DocumentKey,
  type Principal,
} from '@weft/common';
import type { Access } from '@weft/authorize';
import type { GatewayCore } from '../core.ts';
import type { Session } from './session.ts';

/** How a session comes to be and ends: who is it, what may they, which document. */
export class SessionOpening {
  private readonly core: GatewayCore;

  constructor(core: GatewayCore) {
    this.core = core;
  }

  /**
   * Everything that can be refused is refused before Hocuspocus hears of the session.
   *
   * @throws WeftError with the reason; a retryable one when it could not be found out.
   */
  async prepare(session: Session, token: string): Promise<void> {
    const { core } = this;
    const principal = await core.dependencies.verifier.verify(token);
    const key = documentKey(principal.tenant, session.name);
    const access = await this.admit(principal, key);
    if (!session.socket.admit(principal)) throw new WeftError('too-many-connections');
    session.principal = principal;
    session.access = access;
    session.document = await core.documents.acquire(key);
    session.prepared = true;
    session.socket.authenticated = true;
    if (session.ended) this.left(session, false);
  }

  /** A document that may not be seen answers like one that is not there. */
  private async admit(principal: Principal, key: DocumentKey): Promise<Access> {
    const { core } = this;
    const { mayCreateByOpening, createDocument } = core.dependencies;
    const access = await core.access.resolve(principal, key);
    // Only a document that is there has a revision: one question to the database instead of two.
    const exists = access.policyRev > 0;
    if (exists && access.role?.read) return access;
    if (exists || !(await mayCreateByOpening(principal, key))) throw new WeftError('document-not-found');
    await createDocument(principal, key).catch(unlessMadeMeanwhile);
    const created = await core.access.resolve(principal, key);
    if (!created.role?.read) throw new WeftError('document-not-found');
    return created;
  }

  /** The session is open: frames that waited are handled next. */
  entered(session: Session): void {
    this.core.access.enteredWith(session);
    this.core.presence.announce(session);
  }

  /** The frames that waited are handled, the first awareness frame among them: it isn't told of itself. */
  caughtUp(session: Session): void {
    setImmediate(() => {
      if (session.isOpen) this.core.awareness.welcome(session);
    });
  }

  /** A new token in mid-session, of the same person. */
  async refresh(session: Session, token: string): Promise<void> {
    const principal = await this.core.dependencies.verifier.verify(token);
    const before = session.principal;
    if (principal.tenant !== before.tenant || principal.user !== before.user)
      throw new WeftError('token-invalid');
    session.principal = principal;
    session.tokenRequested = false;
    await this.core.access.refreshSession(session);
    if (session.isOpen && session.clients.size > 0) this.core.access.rememberClaims(session);
  }

  /** Records why a session was not opened. `undefined`: a user's hook refused it, for reasons of its own. */
  refused(session: Session, reason: unknown): WeftError | undefined {
    if (!(reason instanceof WeftError) && session.prepared) return undefined;
    const error = isDatabaseAway(reason)
      ? new WeftError('log-unavailable', { cause: reason })
      : toWeftError(reason);
    this.core.metrics.refusal(error.code);
    if (error.code === 'internal') {
      this.core.logger.error({ err: error.cause, document: session.name }, 'a document could not be opened');
    }
    return error;
  }

  /** Undoes what {@link prepare} took. */
  left(session: Session, wasOpen: boolean): void {
    if (!session.prepared) return;
    session.prepared = false;
    const { document } = session;
    if (wasOpen) {
      document.leave(session);
      this.core.presence.left(session);
      this.core.awareness.sessionLeft(session, session.leftCleanly ? 0 : this.core.limits.presenceGrace);
    }
    this.core.documents.release(document);
  }
}

/** Two who open a new name at the same moment both get in: the first makes it, the token of each says so. */
function unlessMadeMeanwhile(error: unknown): void {
  if (!(error instanceof WeftError && error.code === 'document-exists')) throw error;
}
