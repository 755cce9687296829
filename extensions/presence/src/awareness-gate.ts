import { systemClock, type Clock, type Principal } from '@weft/common';
import type { Awareness } from 'y-protocols/awareness';
import {
  AWARENESS_LIMITS,
  encodeRawAwareness,
  scanAwarenessFrame,
  type AwarenessEntry,
  type AwarenessLimits,
  type RawAwarenessEntry,
} from './awareness-frame.ts';
import { parseState, type AwarenessState } from './awareness-state.ts';
import { AwarenessEchoes } from './awareness-echoes.ts';
import { ClientClaims, move, type AwarenessSession, type Claim } from './client-claims.ts';
import { stampedUser } from './identity.ts';

export interface AwarenessGateOptions {
  /**
   * The document's awareness: what the peers of this instance have been told. The gate reads it and never
   * changes a state; it only forgets the clocks of the long departed, which y-protocols keeps for ever.
   */
  readonly awareness: Awareness;
  readonly limits?: AwarenessLimits;
  /** Client ids that one session may speak for at a time. Stock clients use one. Default 4. */
  readonly clientsPerSession?: number;
  /** Ids remembered after their session ended, so that nobody else picks them up. Default 1000. */
  readonly remembered?: number;
  /** Whether this person may take that unowned client id; where the durable binding of client ids is asked. */
  readonly mayClaim?: (client: number, principal: Principal) => boolean;
  readonly clock?: Clock;
}

/** What is left of a frame. */
export interface AwarenessVerdict {
  /** For `applyAwarenessUpdate` and for relaying; `undefined` when nothing is left. */
  readonly update: Uint8Array | undefined;
  /** The same for {@link applyStates}. */
  readonly entries: readonly AwarenessEntry[];
  /** The session's own ids in the frame that are present now. */
  readonly present: readonly number[];
  /** The session's own ids in the frame that left. */
  readonly left: readonly number[];
  /** Ids the session speaks for since this frame. */
  readonly claimed: readonly number[];
  /** Entries about other sessions' ids, which were dropped. Honest clients send them too (time-outs). */
  readonly dropped: number;
}

/** What came from another instance. */
export interface ObservedAwareness {
  /** To apply and relay here. */
  readonly update: Uint8Array | undefined;
  /** The same for {@link applyStates}. */
  readonly entries: readonly AwarenessEntry[];
  /** To apply, relay and publish: the other instance removed somebody who is here. */
  readonly reassert: Uint8Array | undefined;
}

/** Milliseconds that a frame of another instance takes at most, as a rule: its ticks, and a busy machine. */
const ON_THE_WAY = 1000;

/**
 * Lets every session of one document speak for itself only.
 *
 * The clocks that leave are the gate's own: `max(previous + 1, milliseconds since 1970)`. A client's clock is
 * never relayed, so none can freeze an id with a high one. And they rise across reconnects, restarts and
 * instances: a stock client repeats its old clock after a reconnect, and peers, who remember clocks of people
 * who left, would not show it until it moves or renews (15 s).
 *
 * The price: a session must never be sent its own ids back. Its client would take the higher clock for news
 * and overwrite its newer state with what it sent a round trip ago.
 */
export class AwarenessGate {
  private readonly awareness: Awareness;
  private readonly limits: AwarenessLimits;
  private readonly remembered: number;
  private readonly mayClaim: (client: number, principal: Principal) => boolean;
  private readonly clock: Clock;
  private readonly claims: ClientClaims;
  private readonly echoes: AwarenessEchoes;

  constructor(options: AwarenessGateOptions) {
    this.awareness = options.awareness;
    this.limits = options.limits ?? AWARENESS_LIMITS;
    this.mayClaim = options.mayClaim ?? (() => true);
    this.clock = options.clock ?? systemClock;
    this.remembered = options.remembered ?? 1000;
    this.claims = new ClientClaims({
      perSession: options.clientsPerSession ?? 4,
      remembered: this.remembered,
    });
    this.echoes = new AwarenessEchoes(this.awareness, this.claims);
  }

  /**
   * Takes a frame of `session` (the body of an awareness frame). Synchronous; apply `update` before the next
   * call.
   *
   * @throws WeftError `awareness-malformed` or `awareness-too-large`; nothing of the frame has been taken.
   */
  accept(session: AwarenessSession, body: Uint8Array): AwarenessVerdict {
    const raw = scanAwarenessFrame(body, this.limits);
    const own = raw.filter((entry) => this.speaksFor(session, entry));
    const states = own.map((entry) => parseState(entry.json, this.limits.depth));
    const verdict = { present: [] as number[], left: [] as number[], claimed: [] as number[] };
    const out: RawAwarenessEntry[] = [];
    const entries: AwarenessEntry[] = [];
    own.forEach(({ client, clock }, index) => {
      const state = states[index]!;
      const isNew = this.claims.get(client)?.session !== session;
      const claim = state === null ? this.claims.get(client) : this.claims.take(client, session);
      if (!claim) return;
      if (isNew) verdict.claimed.push(client);
      move(claim, { said: clock, shown: this.nextClock(client, claim.clock) });
      out.push({ client, clock: claim.clock, json: stamped(state, session.principal) });
      entries.push({ client, clock: claim.clock, state });
      (state === null ? verdict.left : verdict.present).push(client);
    });
    return {
      ...verdict,
      entries,
      update: out.length > 0 ? encodeRawAwareness(out) : undefined,
      dropped: raw.length - out.length,
    };
  }

  /**
   * Ends a session. Its ids stay shown and may be taken over by the same person until {@link removal} is asked
   * for, which is the grace of a short disconnect.
   */
  removeSession(session: AwarenessSession): readonly number[] {
    const clients = this.claims.leave(session);
    this.forgetClocks();
    return clients;
  }

  /**
   * Tells later which of them nothing has been heard of, here or from another instance. Ids that moved are no
   * longer claimed here, and {@link removal} could not tell them from those that nobody speaks for any more.
   */
  silentSince(clients: readonly number[]): () => number[] {
    const clockOf = (client: number) => this.awareness.meta.get(client)?.clock;
    const before = clients.map(clockOf);
    return () => clients.filter((client, index) => clockOf(client) === before[index]);
  }

  /**
   * The frame that removes those of `clients` that are still shown and that no session here has taken over. To
   * apply, relay and publish.
   */
  removal(clients: Iterable<number>): Uint8Array | undefined {
    const out: RawAwarenessEntry[] = [];
    for (const client of clients) {
      const claim = this.claims.get(client);
      if (claim?.session || !this.awareness.states.has(client)) continue;
      // Of somebody at another instance no later than that one's next word: it would be taken for old.
      const clock = claim
        ? this.nextClock(client, claim.clock)
        : (this.awareness.meta.get(client)?.clock ?? 0) + 1;
      if (claim) claim.clock = clock;
      out.push({ client, clock, json: 'null' });
    }
    return out.length > 0 ? encodeRawAwareness(out) : undefined;
  }

  /**
   * Takes what another instance published. Its gate has stamped it; here it is only kept from speaking for
   * people who are connected to this instance.
   *
   * @throws WeftError for bytes that no gate makes.
   */
  observe(bytes: Uint8Array, limits: AwarenessLimits = RELAYED_LIMITS): ObservedAwareness {
    const update: RawAwarenessEntry[] = [];
    const reassert: RawAwarenessEntry[] = [];
    const entries: AwarenessEntry[] = [];
    for (const entry of scanAwarenessFrame(bytes, limits)) {
      const state = parseState(entry.json, limits.depth);
      const claim = this.claims.get(entry.client);
      const before = update.length;
      if (!claim) update.push(entry);
      else if (state === null) this.observeLeave(entry, claim, { update, reassert });
      else if (userOf(state) === claim.user) this.observeMove(entry, claim, update);
      if (update.length > before) entries.push({ client: entry.client, clock: entry.clock, state });
    }
    this.forgetClocks();
    return {
      entries,
      update: update.length > 0 ? encodeRawAwareness(update) : undefined,
      reassert: reassert.length > 0 ? encodeRawAwareness(reassert) : undefined,
    };
  }

  /**
   * Everybody's state for a session that has just opened, without its own ids: those it speaks for, or `own` before its
   * first awareness frame has been accepted (stock clients send it together with their first sync step).
   *
   * A client that was here before ignores a state whose clock it has seen, although it has cleared it at the
   * disconnect. So the clocks sent are halfway between the state's own and now: new to that client, and still
   * older than the person's next move. What somebody at another instance has done lately may be on its way, and must
   * not be older.
   */
  welcome(
    session?: AwarenessSession,
    own: readonly number[] = session ? this.clientsOf(session) : [],
  ): Uint8Array | undefined {
    if (session) this.echoes.tell(session, own);
    const now = this.clock.now();
    const out: RawAwarenessEntry[] = [];
    for (const [client, state] of this.awareness.states) {
      if (own.includes(client)) continue;
      const clock = this.awareness.meta.get(client)?.clock ?? 0;
      const known = this.claims.get(client)?.session ? now : now - ON_THE_WAY;
      const between = clock + Math.max(1, Math.floor((known - clock) / 2));
      out.push({ client, clock: between, json: jsonOf(state) });
    }
    return out.length > 0 ? encodeRawAwareness(out) : undefined;
  }

  /** Those who are shown and whom other instances have brought, and when last told of, by {@link steadyClock}. */
  elsewhere(): { readonly client: number; readonly at: number }[] {
    const { states, meta } = this.awareness;
    const clients = [...states.keys()].filter((client) => !this.claims.has(client));
    return clients.map((client) => ({ client, at: meta.get(client)?.lastUpdated ?? 0 }));
  }

  /** The states of such clients once more, one clock later, so that they are older than whatever these do next. */
  renewal(clients: readonly number[]): AwarenessEntry[] {
    const { states, meta } = this.awareness;
    return clients.flatMap((client) => {
      const state = states.get(client) as AwarenessState | undefined;
      return state ? [{ client, clock: (meta.get(client)?.clock ?? 0) + 1, state }] : [];
    });
  }

  /** The client ids that a session speaks for. */
  clientsOf(session: AwarenessSession): readonly number[] {
    return this.claims.clientsOf(session);
  }

  private speaksFor(session: AwarenessSession, entry: RawAwarenessEntry): boolean {
    const { client, json } = entry;
    if (this.echoes.isEcho(session, entry)) return false;
    const claim = this.claims.get(client);
    if (claim?.session === session) return true;
    // A null claims nothing: clients that time somebody out send one in that person's name.
    if (json === 'null') return false;
    return claim ? claim.user === session.principal.user : this.mayTake(client, session.principal);
  }

  /** An id that only another instance knows is still somebody's: that instance's gate has stamped whose. */
  private mayTake(client: number, principal: Principal): boolean {
    const shown = this.awareness.states.get(client) as AwarenessState | undefined;
    if (shown && userOf(shown) !== principal.user) return false;
    return this.mayClaim(client, principal);
  }

  private observeLeave(
    entry: RawAwarenessEntry,
    claim: Claim,
    to: { update: RawAwarenessEntry[]; reassert: RawAwarenessEntry[] },
  ): void {
    const shown = claim.session && this.awareness.states.get(entry.client);
    if (!shown) {
      to.update.push(entry);
      return;
    }
    // The person moved here from the other instance before that one had noticed.
    // The person counts on from it, who is told as well.
    claim.said = claim.clock = Math.max(entry.clock + 1, this.nextClock(entry.client, claim.clock));
    to.reassert.push({ client: entry.client, clock: claim.clock, json: JSON.stringify(shown) });
  }

  /** The person has moved to another instance: what a session here still holds of them is a dead end. */
  private observeMove(entry: RawAwarenessEntry, claim: Claim, update: RawAwarenessEntry[]): void {
    if (claim.session && entry.clock <= claim.clock) return;
    this.claims.drop(entry.client);
    update.push(entry);
  }

  private nextClock(client: number, previous: number): number {
    const told = this.awareness.meta.get(client)?.clock ?? 0;
    return Math.max(previous + 1, told + 1, this.clock.now());
  }

  /** Every page load is a new client id: a document that stays open for months would collect millions. */
  private forgetClocks(): void {
    const { states, meta } = this.awareness;
    let excess = meta.size - states.size - this.remembered;
    if (excess <= this.remembered) return;
    for (const client of meta.keys()) {
      if (excess <= 0) return;
      if (states.has(client) || this.claims.has(client)) continue;
      meta.delete(client);
      excess--;
    }
  }
}

const texts = new WeakMap<object, string>();

/** An awareness state is replaced and never changed: fifty people who join at once share one encoding. */
function jsonOf(state: object): string {
  let text = texts.get(state);
  if (text === undefined) texts.set(state, (text = JSON.stringify(state)));
  return text;
}

/** Frames between instances are coalesced from many people's. */
export const RELAYED_LIMITS: AwarenessLimits = {
  ...AWARENESS_LIMITS,
  clients: 10_000,
  frameBytes: 8 * 1024 * 1024,
};

function stamped(state: AwarenessState | null, principal: Principal): string {
  if (state === null) return 'null';
  state['user'] = stampedUser(principal);
  return JSON.stringify(state);
}

function userOf(state: AwarenessState): string | undefined {
  const user = state['user'];
  if (typeof user !== 'object' || user === null || Array.isArray(user)) return undefined;
  return typeof user['id'] === 'string' ? user['id'] : undefined;
}
