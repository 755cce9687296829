import {
  documentKey,
  isDatabaseAway,
  toWeftError,
  WeftError,
  type DocumentKey,
  type Logger,
  type Principal,
} from '@weft/common';
import type { TokenVerifier } from '@weft/auth-jwt';
import type { Access } from '@weft/authorize';
import type { SessionAccess } from '../access/session-access.ts';
import type { LiveDocuments } from '../document/live-documents.ts';
import type { GatewayMetrics } from '../gateway-metrics.ts';
import type { GatewayLimits } from '../limits.ts';
import type { AwarenessRelay } from '../presence/awareness-relay.ts';
import type { PresentPeople } from '../presence/present-people.ts';
import type { Session } from '../session/session.ts';

export interface SessionOpeningPorts {
  readonly limits: Pick<GatewayLimits, 'presenceGrace'>;
  readonly logger: Logger;
  readonly metrics: Pick<GatewayMetrics, 'refusal'>;
  readonly verifier: TokenVerifier;
  /** Whether the token itself gives somebody the right to make a document by opening it. */
  readonly mayCreateByOpening: (principal: Principal, key: DocumentKey) => Promise<boolean>;
  /** Makes a document and its maker the owner, in one transaction. */
  readonly createDocument: (principal: Principal, key: DocumentKey) => Promise<void>;
  readonly access: SessionAccess;
  readonly documents: Pick<LiveDocuments, 'acquire' | 'release'>;
  readonly people: PresentPeople;
  readonly awareness: Pick<AwarenessRelay, 'welcome' | 'sessionLeft'>;
}

/** How a session comes to be and ends: who is it, what may they, which document. */
export class SessionOpening {
  private readonly ports: SessionOpeningPorts;

  constructor(ports: SessionOpeningPorts) {
    this.ports = ports;
  }

  /**
   * Everything that can be refused is refused before Hocuspocus hears of the session.
   *
   * @throws WeftError with the reason; a retryable one when it could not be found out.
   */
  async prepare(session: Session, token: string): Promise<void> {
    const { ports } = this;
    const principal = await ports.verifier.verify(token);
    const key = documentKey(principal.tenant, session.name);
    const access = await this.admit(principal, key);
    if (!session.socket.admit(principal)) throw new WeftError('too-many-connections');
    session.principal = principal;
    session.access = access;
    session.document = await ports.documents.acquire(key);
    session.prepared = true;
    session.socket.authenticated = true;
    if (session.ended) this.left(session, false);
  }

  /** A document that may not be seen answers like one that is not there. */
  private async admit(principal: Principal, key: DocumentKey): Promise<Access> {
    const { ports } = this;
    const { mayCreateByOpening, createDocument } = ports;
    const access = await ports.access.resolve(principal, key);
    // Only a document that is there has a revision: one question to the database instead of two.
    const exists = access.policyRev > 0;
    if (exists && access.role?.read) return access;
    if (exists || !(await mayCreateByOpening(principal, key))) throw new WeftError('document-not-found');
    await createDocument(principal, key).catch(unlessMadeMeanwhile);
    const created = await ports.access.resolve(principal, key);
    if (!created.role?.read) throw new WeftError('document-not-found');
    return created;
  }

  /** The session is open: frames that waited are handled next. */
  entered(session: Session): void {
    this.ports.access.enteredWith(session);
    this.ports.people.announce(session);
  }

  /** The frames that waited are handled, the first awareness frame among them: it isn't told of itself. */
  caughtUp(session: Session): void {
    setImmediate(() => {
      if (session.isOpen) this.ports.awareness.welcome(session);
    });
  }

  /** A new token in mid-session, of the same person. */
  async refresh(session: Session, token: string): Promise<void> {
    const principal = await this.ports.verifier.verify(token);
    const before = session.principal;
    if (principal.tenant !== before.tenant || principal.user !== before.user)
      throw new WeftError('token-invalid');
    session.principal = principal;
    session.tokenRequested = false;
    await this.ports.access.refreshSession(session);
    if (session.isOpen && session.clients.size > 0) this.ports.access.rememberClaims(session);
  }

  /** Records why a session was not opened. `undefined`: a user's hook refused it, for reasons of its own. */
  refused(session: Session, reason: unknown): WeftError | undefined {
    if (!(reason instanceof WeftError) && session.prepared) return undefined;
    const error = isDatabaseAway(reason)
      ? new WeftError('log-unavailable', { cause: reason })
      : toWeftError(reason);
    this.ports.metrics.refusal(error.code);
    if (error.code === 'internal') {
      this.ports.logger.error({ err: error.cause, document: session.name }, 'a document could not be opened');
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
      this.ports.people.left(session);
      this.ports.awareness.sessionLeft(session, session.leavesAtOnce ? 0 : this.ports.limits.presenceGrace);
    }
    this.ports.documents.release(document);
  }
}

/** Two who open a new name at the same moment both get in: the first makes it, the token of each says so. */
function unlessMadeMeanwhile(error: unknown): void {
  if (!(error instanceof WeftError && error.code === 'document-exists')) throw error;
}
