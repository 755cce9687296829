import type { Awareness } from 'y-protocols/awareness';
import type { RawAwarenessEntry } from './awareness-frame.ts';
import type { AwarenessSession, Claim, ClientClaims } from './client-claims.ts';

/** Milliseconds after which nobody repeats a state that they were told of any more. */
const REPEATED_WITHIN = 60_000;

/**
 * Finds what is no word of its sender. Versions 2 and 3 of the stock provider send back what they are told of others. Of
 * the same person's other tab that would be taken for its return, told anew, sent back anew, without end. A clock near the
 * one told gives it away: it is a gate's, and a client counts its own from 0.
 *
 * Version 2 may tell other tabs of the browser as well, and so a tab of itself. It sends that back, too, also when it has
 * moved on; and its own clock is near a gate's from then on, also when it comes back. But who has not been told of anybody
 * repeats nothing.
 */
export class AwarenessEchoes {
  private readonly awareness: Awareness;
  private readonly claims: ClientClaims;
  /** Sessions that were told of others, each with the ids that it had said to be its own by then. */
  private readonly told = new WeakMap<AwarenessSession, readonly number[]>();

  constructor(awareness: Awareness, claims: ClientClaims) {
    this.awareness = awareness;
    this.claims = claims;
  }

  /** From now on a session may repeat what it is told, of all but its `own` ids. */
  tell(session: AwarenessSession, own: readonly number[]): void {
    if (!this.told.has(session)) this.told.set(session, own);
  }

  /** The clock of a session's own id counts as said, echo or not. */
  isEcho(session: AwarenessSession, { client, clock }: RawAwarenessEntry): boolean {
    const claim = this.claims.get(client);
    if (claim?.session === session) {
      const echo = isOwnEcho(clock, claim);
      claim.said = clock;
      return echo;
    }
    const own = this.told.get(session) ?? this.claims.clientsOf(session);
    const wasTold = this.told.has(session) || own.length > 0;
    if (!wasTold || own.includes(client)) return false;
    const { states, meta } = this.awareness;
    const somebodySpeaks = claim ? claim.session !== undefined : states.has(client);
    return somebodySpeaks && clock > (meta.get(client)?.clock ?? 0) - REPEATED_WITHIN;
  }
}

/** A client counts its own moves by one: what is far ahead of its last, or one that a gate has given, it was told. */
function isOwnEcho(clock: number, claim: Claim): boolean {
  const toldFirst = clock - claim.said > REPEATED_WITHIN;
  return clock > 0 && (toldFirst || clock === claim.clock || claim.earlier.includes(clock));
}
