import {
  documentKey,
  isDocumentName,
  refusalOf,
  WeftError,
  type DocumentKey,
  type ErrorCode,
  type Logger,
  type Principal,
} from '@weft/common';
import type { Document } from '@hocuspocus/server';
import type { TokenVerifier } from '@weft/auth-jwt';
import type { Access } from '@weft/authorize';
import type { SessionAccess } from '../access/session-access.ts';
import type { LiveDocument } from '../document/live-document.ts';
import type { LiveDocuments } from '../document/live-documents.ts';
import { authenticatedBody } from '../wire/frames.ts';
import type { GatewayMetrics } from '../gateway-metrics.ts';
import type { HookedAdmission } from '../hocuspocus/hooked-admission.ts';
import type { HookedClient } from '../hocuspocus/hocuspocus-connection.ts';
import type { WeftHocuspocus } from '../hocuspocus/weft-hocuspocus.ts';
import type { GatewayLimits } from '../limits.ts';
import { accessBody } from '../wire/messages.ts';
import type { AwarenessRelay } from '../presence/awareness-relay.ts';
import type { PresentPeople } from '../presence/present-people.ts';
import type { Leaving, SessionClient } from '../session/client.ts';
import { Session, writesAnything, type SessionPorts } from '../session/session.ts';
import type { SyncResponder } from '../sync/sync-responder.ts';

/** How often who may make the document that they open makes it, where it is deleted in the same moment. */
const CREATION_ATTEMPTS = 3;

/** What a client says to get in. */
export interface Admission {
  readonly token: string;
  readonly providerVersion: string | null;
}

/** A client on its way into a document. */
export interface OpeningClient extends SessionClient, HookedClient {
  /** Of the document, as the client writes it. */
  readonly name: string;
  /** Whether it has asked for the whole document, and waits. */
  readonly awaitsEverything: boolean;
  readonly socket: HookedClient['socket'] & {
    /** Counts it towards the connections of a person; `false`: it is one more than they may have. */
    admit(principal: Principal): boolean;
    readonly inbound: {
      /** A token has been accepted on it. */
      authenticated(): void;
    };
  };
  /** From now on its frames are the session's. */
  enter(session: Session): void;
}

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
  readonly documents: Pick<LiveDocuments, 'acquireAt' | 'release'>;
  readonly hocuspocus: Pick<WeftHocuspocus, 'admission' | 'left' | 'hasExtensions'>;
  readonly sync: Pick<SyncResponder, 'sendAhead' | 'hasSentAhead'>;
  readonly people: PresentPeople;
  readonly awareness: Pick<AwarenessRelay, 'welcome' | 'welcomeEarly' | 'sessionLeft'>;
  readonly session: SessionPorts;
}

/** Why a session was not opened. */
export interface Refusal {
  /** `undefined`: a user's hook has refused it, for reasons of its own. */
  readonly code: ErrorCode | undefined;
  /** What the client is told. */
  readonly said: string;
}

/** Whose token has been accepted, and the document that is held for them. */
interface Admitted {
  readonly principal: Principal;
  readonly access: Access;
  readonly document: LiveDocument;
}

/** How a session comes to be and ends: who is it, what may they, which document. */
export class SessionOpening {
  private readonly ports: SessionOpeningPorts;

  constructor(ports: SessionOpeningPorts) {
    this.ports = ports;
  }

  /**
   * Proves who it is, resolves what they may, loads the document, and passes by the hooks.
   *
   * @throws WeftError with the reason, a retryable one when it could not be found out; and what a user's hook rejects
   *   with.
   */
  async open(client: OpeningClient, { token, providerVersion }: Admission): Promise<void> {
    const { documents, hocuspocus, session: ports } = this.ports;
    // Everything that can be refused is refused before Hocuspocus hears of it.
    const admitted = await this.admit(client, token).catch((error: unknown) => {
      throw refusalOf(error);
    });
    const { principal, access, document } = admitted;
    const readOnly = !writesAnything(access);
    const admission = hocuspocus.admission({
      client,
      principal,
      readOnly,
      providerVersion,
      key: document.key,
    });
    const opened = await this.prepare(client, admitted, { admission, token }).catch((error: unknown) => {
      documents.release(document);
      throw this.dropped(client, document) ?? error;
    });
    // Left before the hooks heard of it.
    if (!opened) return documents.release(document);
    // Given up meanwhile, it is nobody's: the client comes back to the one that is loaded anew. From here to the session
    // nothing is waited for, else it would stay behind when the others are sent away.
    if (document.discarded) throw this.dropped(client, document) ?? new WeftError('document-reload');
    const connection = admission.connect(opened);
    // Left meanwhile.
    if (client.ended) {
      void hocuspocus.left(connection);
      return documents.release(document);
    }
    client.enter(new Session({ ports, client, principal, access, document, connection }));
    await admission.connected(connection);
  }

  private async admit(client: OpeningClient, token: string): Promise<Admitted> {
    const { verifier, documents } = this.ports;
    if (!isDocumentName(client.name)) throw new WeftError('name-invalid');
    const principal = await verifier.verify(token);
    const key = documentKey(principal.tenant, client.name);
    const access = await this.accessOf(principal, key);
    if (!client.socket.admit(principal)) throw new WeftError('too-many-connections');
    const document = await documents.acquireAt(key, access.policyRev);
    client.socket.inbound.authenticated();
    return { principal, access, document };
  }

  /** A document that may not be seen answers like one that is not there. */
  private async accessOf(
    principal: Principal,
    key: DocumentKey,
    attempts = CREATION_ATTEMPTS,
  ): Promise<Access> {
    const { access: permissions, mayCreateByOpening, createDocument } = this.ports;
    const access = await permissions.resolve(principal, key);
    // Only a document that is there has a revision: one question to the database instead of two.
    const exists = access.policyRev > 0;
    if (exists && access.role?.read) return access;
    if (exists || !(await mayCreateByOpening(principal, key))) throw new WeftError('document-not-found');
    await createDocument(principal, key).catch(unlessMadeMeanwhile);
    const created = await permissions.resolve(principal, key);
    const deletedMeanwhile = created.policyRev === 0;
    if (!deletedMeanwhile && created.role?.read) return created;
    if (deletedMeanwhile && attempts > 1) return this.accessOf(principal, key, attempts - 1);
    throw new WeftError('document-not-found');
  }

  /** Has the hooks say and the document made. Nothing for who has left already. */
  private async prepare(
    client: OpeningClient,
    { access: { role }, document }: Admitted,
    { admission, token }: { readonly admission: HookedAdmission; readonly token: string },
  ): Promise<Document | undefined> {
    if (client.ended) return undefined;
    const { hocuspocus, sync } = this.ports;
    await admission.ask(token);
    if (!client.ended) {
      client.send(authenticatedBody(admission.readOnly));
      if (role) client.send(accessBody(role, document.log));
    }
    // What users' extensions do to a document when it is loaded belongs to it.
    if (!hocuspocus.hasExtensions) await sync.sendAhead(client, document);
    return admission.open();
  }

  /**
   * For whoever was sent a document ahead that has been deleted since: coming back, they would bring it into the next of
   * its name as if it were their own work. Who has nothing of it may come back.
   */
  private dropped(client: OpeningClient, { givenUpFor }: LiveDocument): WeftError | undefined {
    const mustDrop = givenUpFor === 'document-deleted' && this.ports.sync.hasSentAhead(client);
    return mustDrop ? new WeftError(givenUpFor) : undefined;
  }

  /** The session is open: the frames that have waited are handled next. */
  entered(session: Session, waiting: readonly Uint8Array[]): void {
    this.ports.access.enteredWith(session);
    this.ports.people.announce(session);
    this.ports.awareness.welcomeEarly(session, waiting);
  }

  /** The frames that waited are handled. */
  caughtUp(session: Session): void {
    setImmediate(() => {
      if (session.isOpen && !session.seesPresence) this.ports.awareness.welcome(session);
    });
  }

  /** A new token in mid-session, of the same person. */
  async refresh(session: Session, token: string): Promise<void> {
    const principal = await this.ports.verifier.verify(token);
    const { tenant, user } = session.principal;
    if (principal.tenant !== tenant || principal.user !== user) throw new WeftError('token-invalid');
    session.renew(principal);
    await this.ports.access.refreshSession(session);
    if (session.isOpen && session.clients.size > 0) this.ports.access.rememberClaims(session);
  }

  /** Records why a session was not opened. */
  refused(name: string, reason: unknown): Refusal {
    if (!(reason instanceof WeftError)) return { code: undefined, said: hookReason(reason) };
    const { code, cause } = reason;
    this.ports.metrics.refusal(code);
    if (code === 'internal' || code === 'document-damaged') {
      this.ports.logger.error(
        { err: cause ?? reason, code, document: name },
        'a document could not be opened',
      );
    }
    return { code, said: code };
  }

  left(session: Session, leaving: Leaving): void {
    const { limits, people, awareness, documents, hocuspocus } = this.ports;
    const { document } = session;
    document.leave(session);
    people.left(session, leaving);
    awareness.sessionLeft(session, leaving === 'at-once' ? 0 : limits.presenceGrace);
    documents.release(document);
    void hocuspocus.left(session.origin.connection);
  }
}

/** Two who open a new name at the same moment both get in: the first makes it, the token of each says so. */
function unlessMadeMeanwhile(error: unknown): void {
  if (!(error instanceof WeftError && error.code === 'document-exists')) throw error;
}

/** As Hocuspocus reads what a hook rejects with. */
function hookReason(error: unknown): string {
  const { reason } = (error ?? {}) as { readonly reason?: unknown };
  return typeof reason === 'string' ? reason : 'permission-denied';
}
