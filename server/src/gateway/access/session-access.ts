import { setTimeout as delay } from 'node:timers/promises';
import {
  affects,
  claimsFor,
  type Access,
  type ClientBindings,
  type Gate,
  type PolicyChange,
  type ResolveOptions,
} from '@weft/authorize';
import type { Clock, DocumentKey, Logger, Principal } from '@weft/common';
import type { LiveDocument } from '../document/live-document.ts';
import type { Session } from '../session/session.ts';

/** Ask for a new token this long before the old one ends, in milliseconds. */
const REFRESH_BEFORE = 30_000;
/** What holds until a time is asked for anew so long before, in milliseconds: looked at every second, it is in time. */
const ASK_BEFORE = 1_500;
/** A revoked right must be gone within a second: so long, in milliseconds, is tried to find out what is left of it. */
const RESOLVE_ATTEMPTS = 3;
const RESOLVE_PAUSE = 200;
const RESOLVE_PATIENCE = 1_000;

export interface SessionAccessPorts {
  readonly wallClock: Clock;
  readonly gate: Pick<Gate, 'resolve'>;
  /** The newest tokens of people, by document. */
  readonly bindings: { readonly claims: Pick<ClientBindings['claims'], 'rememberSoon'> };
  readonly logger: Logger;
  /** All that are open. */
  documents(): Iterable<LiveDocument>;
}

/**
 * What each open session may do right now. Decisions per update are made from memory; a change of a grant, the
 * end of a grant and the end of a token each bring the memory up to date, or end the session.
 */
export class SessionAccess {
  private readonly ports: SessionAccessPorts;
  /** Documents being refreshed; `again` when another change came meanwhile. */
  private readonly refreshing = new Map<LiveDocument, { again: boolean }>();
  /** Sessions about which somebody is being asked, since what they may ends. */
  private readonly renewing = new Map<Session, Promise<void>>();

  constructor(ports: SessionAccessPorts) {
    this.ports = ports;
  }

  resolve(principal: Principal, key: DocumentKey, options?: ResolveOptions): Promise<Access> {
    return this.ports.gate.resolve(principal, key, options);
  }

  /** What is known of somebody's rights holds no longer, and decides nothing. */
  hasEnded({ expiresAt }: Access): boolean {
    return expiresAt !== undefined && this.ports.wallClock.now() >= expiresAt;
  }

  /**
   * For whatever came after the end of what is known: resolves when it is known again, or the session is over.
   *
   * @throws WeftError `permissions-unavailable`
   */
  async untilKnown(session: Session): Promise<void> {
    await this.renew(session);
    // The clock of who answered may be behind.
    while (session.isOpen && this.hasEnded(session.access)) {
      await delay(RESOLVE_PAUSE);
      await this.renew(session);
    }
  }

  /** Asks what a session may when what is known ends; calls that come meanwhile are answered with it. */
  private renew(session: Session): Promise<void> {
    const running = this.renewing.get(session);
    if (running) return running;
    const { expiresAt: beyond } = session.access;
    const renewed = this.refreshSession(session, { beyond }).finally(() => this.renewing.delete(session));
    this.renewing.set(session, renewed);
    return renewed;
  }

  /** The revision may have moved between the resolve and the entry. */
  enteredWith(session: Session): void {
    if (session.access.policyRev < session.document.policyRev) this.changed(session.document);
    else session.document.policyRev = session.access.policyRev;
  }

  /** The grants of a document, or of all that a pattern names, have changed. */
  policyChanged(change: PolicyChange): void {
    for (const document of this.ports.documents()) {
      if (affects(change, document.key)) this.changed(document);
    }
  }

  /** The permissions have this revision now. A notice of the same change may have come long before. */
  revised(document: LiveDocument, revision: number): void {
    for (const { access } of document.sessions) {
      if (access.policyRev < revision) return this.changed(document);
    }
  }

  /** Brings all sessions of a document up to date; calls that come meanwhile are answered by one more round. */
  changed(document: LiveDocument): void {
    const running = this.refreshing.get(document);
    if (running) {
      running.again = true;
      return;
    }
    void this.refreshUntilSettled(document);
  }

  private async refreshUntilSettled(document: LiveDocument): Promise<void> {
    const state = { again: true };
    this.refreshing.set(document, state);
    try {
      while (state.again) {
        state.again = false;
        await this.refresh(document, []);
      }
    } catch (error) {
      this.ports.logger.error({ err: error, document: document.key }, 'permissions could not be checked');
      for (const session of [...document.sessions]) session.end('permissions-unavailable');
    } finally {
      this.refreshing.delete(document);
    }
  }

  /**
   * Permissions have changed: resolves the access of all sessions of a document, and of `others` whose updates wait
   * for it, and applies it to the sessions.
   *
   * @returns what each of those people may now.
   */
  async refresh(
    document: LiveDocument,
    others: readonly (Principal | undefined)[],
  ): Promise<(principal: Principal) => Access> {
    const sessions = [...document.sessions];
    const people = new Set<Principal>(sessions.map(({ principal }) => principal));
    for (const other of others) if (other) people.add(other);
    const resolved = new Map<Principal, Access>();
    await Promise.all(
      [...people].map(async (principal) => {
        resolved.set(principal, await this.resolvePatiently(principal, document.key));
      }),
    );
    for (const session of sessions) {
      const access = resolved.get(session.principal);
      if (access && session.isOpen && !isOlder(access, session.access.policyRev)) session.permit(access);
    }
    return (principal) => resolved.get(principal) as Access;
  }

  private async resolvePatiently(
    principal: Principal,
    key: DocumentKey,
    options?: ResolveOptions,
  ): Promise<Access> {
    const begun = performance.now();
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.resolve(principal, key, options);
      } catch (error) {
        const isOver = performance.now() - begun > RESOLVE_PATIENCE;
        if (attempt === RESOLVE_ATTEMPTS || isOver) throw error;
        await delay(RESOLVE_PAUSE);
      }
    }
  }

  /** For the case that edits of this session come back by others: what its token says counts then as well. */
  rememberClaims({ key, principal }: Session): void {
    const claims = claimsFor(principal, key);
    this.ports.bindings.claims.rememberSoon({ key, person: principal.user, claims });
  }

  async refreshSession(session: Session, options?: ResolveOptions): Promise<void> {
    const access = await this.resolvePatiently(session.principal, session.key, options);
    if (isOlder(access, session.document.policyRev)) this.changed(session.document);
    else if (session.isOpen) session.permit(access);
  }

  /** Called every second: tokens and grants that end. */
  sweep(session: Session, now: number): void {
    const { expiresAt } = session.principal;
    if (now >= expiresAt) {
      session.end('token-expired');
      return;
    }
    if (now >= expiresAt - REFRESH_BEFORE) session.requestToken();
    const { expiresAt: accessEnds } = session.access;
    if (accessEnds === undefined || now < accessEnds - ASK_BEFORE) return;
    this.renew(session).catch((error: unknown) => {
      // Else it is asked again in a second.
      if (this.hasEnded(session.access)) session.failed(error);
    });
  }
}

/** An answer that took its time is of before a change whose consequences have been drawn. Nothing has revision 0. */
function isOlder({ policyRev }: Access, revision: number): boolean {
  return policyRev > 0 && policyRev < revision;
}
