import type { Principal } from '@weft/common';

/** One document connection. Compared by identity; `principal` is read anew for every frame. */
export interface AwarenessSession {
  readonly principal: Principal;
}

/** Whose a Yjs client is. */
export interface Claim {
  readonly user: string;
  /** Which speaks for it now; none after it has ended. */
  readonly session: AwarenessSession | undefined;
  /** Of the newest state that has been shown for it. */
  clock: number;
  /** Of those before it, as long as they may come back; the newest last. */
  readonly earlier: number[];
  /** The client's own, of what it said last. */
  said: number;
}

interface OwnClaim extends Claim {
  session: AwarenessSession | undefined;
}

/** Moves of somebody that are shown within the time in which one may come back to them from another of their tabs. */
const EARLIER = 8;

/** Takes a client's word, which is shown under the clock `shown`; its own was `said`. */
export function move(claim: Claim, { said, shown }: { readonly said: number; readonly shown: number }): void {
  claim.earlier.push(claim.clock);
  if (claim.earlier.length > EARLIER) claim.earlier.shift();
  claim.said = said;
  claim.clock = shown;
}

export interface ClientClaimsOptions {
  /** Client ids that one session may speak for at a time. */
  readonly perSession: number;
  /** Ids kept after their session ended, so that nobody else picks them up. */
  readonly remembered: number;
}

/** Which session of a document speaks for which Yjs clients. A client stays its person's when the session ends. */
export class ClientClaims {
  private readonly options: ClientClaimsOptions;
  private readonly claims = new Map<number, OwnClaim>();
  /** Arrays, since a set of one number takes 340 bytes. */
  private readonly sessions = new Map<AwarenessSession, readonly number[]>();

  constructor(options: ClientClaimsOptions) {
    this.options = options;
  }

  get(client: number): Claim | undefined {
    return this.claims.get(client);
  }

  has(client: number): boolean {
    return this.claims.has(client);
  }

  clientsOf(session: AwarenessSession): readonly number[] {
    return this.sessions.get(session) ?? [];
  }

  /** The session speaks for the id from now on; a person's newest session wins. `undefined`: it has as many as it may. */
  take(client: number, session: AwarenessSession): Claim | undefined {
    const claim = this.claims.get(client) ?? unclaimed(session.principal.user);
    if (claim.session === session) return claim;
    const clients = this.clientsOf(session);
    if (clients.length >= this.options.perSession) return undefined;
    this.unassign(client, claim);
    claim.session = session;
    this.claims.set(client, claim);
    this.sessions.set(session, clients.concat(client));
    return claim;
  }

  /** The session has ended. Returns the ids that nobody speaks for now. */
  leave(session: AwarenessSession): readonly number[] {
    const clients = this.clientsOf(session);
    this.sessions.delete(session);
    for (const client of clients) {
      const claim = this.claims.get(client)!;
      claim.session = undefined;
      // Re-inserted: the oldest departures are forgotten first.
      this.claims.delete(client);
      this.claims.set(client, claim);
    }
    this.forgetOldest();
    return clients;
  }

  /** It is no longer of this instance. */
  drop(client: number): void {
    const claim = this.claims.get(client);
    if (!claim) return;
    this.unassign(client, claim);
    this.claims.delete(client);
  }

  private unassign(client: number, { session }: Claim): void {
    if (!session) return;
    const others = this.clientsOf(session).filter((other) => other !== client);
    this.sessions.set(session, others);
  }

  private forgetOldest(): void {
    let excess = this.claims.size - this.options.remembered;
    if (excess <= 0) return;
    for (const [client, claim] of this.claims) {
      if (excess <= 0) return;
      if (claim.session) continue;
      this.claims.delete(client);
      excess--;
    }
  }
}

function unclaimed(user: string): OwnClaim {
  return { user, session: undefined, clock: 0, earlier: [], said: 0 };
}
