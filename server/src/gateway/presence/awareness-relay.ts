import { claimsFor, type ClientBindings } from '@weft/authorize';
import { FrameType } from '@weft/common';
import { applyStates, encodeAwareness, readAwarenessFrame, type AwarenessVerdict } from '@weft/presence';
import { applyAwarenessUpdate, encodeAwarenessUpdate } from 'y-protocols/awareness';
import type { GatewayLimits } from '../limits.ts';
import type { Replication } from '../document/replication.ts';
import type { UserHooks } from '../hocuspocus/user-hooks.ts';
import type { PresentPeople } from './present-people.ts';
import { FrameReader } from '../wire/frame-reader.ts';
import { awarenessBody } from '../wire/frames.ts';
import type { LiveDocument } from '../document/live-document.ts';
import type { Session } from '../session/session.ts';

/** Milliseconds; of y-protocols. */
const SILENT = 30_000;

export interface AwarenessRelayPorts {
  readonly limits: Pick<GatewayLimits, 'awarenessPerSecond'>;
  readonly bindings: Pick<ClientBindings, 'bindAll'>;
  readonly userHooks: UserHooks;
  readonly replication: Pick<Replication, 'publishAwareness'>;
  readonly people: Pick<PresentPeople, 'announce'>;
}

/** Presence and cursors: every frame passes the document's awareness gate before anybody sees it. */
export class AwarenessRelay {
  private readonly ports: AwarenessRelayPorts;
  /** The newest frame of each session over its rate. */
  private readonly deferred = new Map<Session, Uint8Array>();

  constructor(ports: AwarenessRelayPorts) {
    this.ports = ports;
  }

  receive(session: Session, frame: Uint8Array): void | Promise<void> {
    if (!mayShow(session)) return;
    if (!session.awarenessBudget.take()) {
      this.defer(session, frame);
      return;
    }
    return this.accept(session, frame);
  }

  /** Over the rate only the newest frame is kept and shown when there is room: a cursor must not stop halfway. */
  private defer(session: Session, frame: Uint8Array): void {
    const scheduled = this.deferred.has(session);
    this.deferred.set(session, frame.slice());
    if (scheduled) return;
    setTimeout(() => {
      const latest = this.deferred.get(session);
      this.deferred.delete(session);
      if (latest && mayShow(session))
        void Promise.resolve(this.accept(session, latest)).catch((error: unknown) => session.failed(error));
    }, 1000 / this.ports.limits.awarenessPerSecond).unref();
  }

  private accept(session: Session, frame: Uint8Array): void | Promise<void> {
    const unbound = session.document.unboundClients;
    unbound.clear();
    const verdict = session.document.awareness.accept(session, frame);
    if (unbound.size > 0) {
      // Bound to the person before anybody sees it: else another could squat the id.
      const clients = [...unbound];
      const bytes = frame.slice();
      return this.bind(session, clients).then(() => {
        if (!mayShow(session)) return;
        return this.show(session, session.document.awareness.accept(session, bytes));
      });
    }
    return this.show(session, verdict);
  }

  private async bind(session: Session, clients: readonly number[]): Promise<void> {
    const { key, principal } = session;
    const claims = claimsFor(principal, key);
    await this.ports.bindings.bindAll(key, clients, principal.user, { claims });
  }

  private show(session: Session, verdict: AwarenessVerdict): void | Promise<void> {
    const { update } = verdict;
    if (!update) return;
    const { userHooks } = this.ports;
    if (!userHooks.has('beforeHandleAwareness')) return this.apply(session, verdict, update);
    return userHooks.beforeAwareness(session.origin.connection, update).then((changed) => {
      if (changed && mayShow(session)) this.apply(session, verdict, changed);
    });
  }

  private apply(session: Session, verdict: AwarenessVerdict, update: Uint8Array): void {
    const { document, origin } = session;
    const { entries, left, claimed } = verdict;
    // A user's hook may have changed it.
    if (update === verdict.update) applyStates(document.document.awareness, entries, origin);
    else applyAwarenessUpdate(document.document.awareness, update, origin);
    document.fanOut.showPresence(update, session);
    this.ports.replication.publishAwareness(document, update);
    if (claimed.length > 0 || left.length > 0) this.ports.people.announce(session);
  }

  /**
   * Shows a session who is here before the frames are handled that have waited for it to open: with a stock server, too,
   * a client knows who else is there when it is synced. It isn't told of itself: whom it will speak for its first
   * awareness frame says. Without one it is shown later, by {@link welcome}.
   */
  welcomeEarly(session: Session, waiting: readonly Uint8Array[]): void {
    const own = waiting.flatMap(clientsSpokenFor);
    if (own.length > 0) this.welcome(session, own);
  }

  /** Shows a session who is here, without those that it speaks for, or will. */
  welcome(session: Session, own?: readonly number[]): void {
    session.seesPresence = true;
    const update = session.document.awareness.welcome(session, own);
    if (update) session.sendNow(awarenessBody(update));
  }

  /** The right to show presence has been given or taken away. What was shown is shown again when the client says so. */
  rightChanged(session: Session): void {
    this.ports.people.announce(session);
    if (mayShow(session)) return;
    const { document } = session;
    this.removeEverywhere(document, document.awareness.removeSession(session));
  }

  /** The session is gone. After the grace, whatever it showed that nobody has taken over is removed. */
  sessionLeft(session: Session, grace: number): void {
    const { document } = session;
    const clients = document.awareness.removeSession(session);
    if (clients.length === 0) return;
    if (grace === 0) return this.removeEverywhere(document, clients);
    const silent = document.awareness.silentSince(clients);
    setTimeout(() => this.removeEverywhere(document, silent()), grace).unref();
  }

  /** Those of `clients` for whom nobody here stands are gone. The other instances find out by themselves. */
  remove(document: LiveDocument, clients: readonly number[]): Uint8Array | undefined {
    if (document.discarded) return undefined;
    const update = document.awareness.removal(clients);
    if (!update) return undefined;
    applyAwarenessUpdate(document.document.awareness, update, null);
    document.fanOut.showPresence(update);
    return update;
  }

  /** The same; and it is for this instance to tell the others. */
  removeEverywhere(document: LiveDocument, clients: readonly number[]): void {
    const update = this.remove(document, clients);
    if (update) this.ports.replication.publishAwareness(document, update);
  }

  /** Another instance has opened the document: it is told who is here. */
  introduce(document: LiveDocument): void {
    if (!document.isOpen) return;
    const clients = [...document.sessions].flatMap((session) => document.awareness.clientsOf(session));
    const { awareness } = document.document;
    const shown = clients.filter((client) => awareness.states.has(client));
    if (shown.length === 0) return;
    this.ports.replication.publishAwareness(document, encodeAwarenessUpdate(awareness, shown));
  }

  /**
   * Removes people of other instances of whom nothing was heard for long: their leave was lost on its way. Clients
   * renew their state every 15 s. Only here: what this instance does not hear, others may.
   */
  sweep(document: LiveDocument, now: number): void {
    if (!document.isOpen) return;
    const { awareness } = document.document;
    if (awareness.meta.size === 0) return;
    const here = new Set([...document.sessions].flatMap((session) => document.awareness.clientsOf(session)));
    const silent = [...awareness.states.keys()].filter((client) => {
      const { lastUpdated } = awareness.meta.get(client) ?? {};
      return !here.has(client) && lastUpdated !== undefined && now - lastUpdated > SILENT;
    });
    if (silent.length > 0) this.remove(document, silent);
  }

  /** Tells the people here once more of people at other instances. */
  renew(document: LiveDocument, clients: readonly number[]): void {
    const entries = document.awareness.renewal(clients);
    if (entries.length === 0) return;
    applyStates(document.document.awareness, entries, null);
    document.fanOut.showPresence(encodeAwareness(entries));
  }

  /** What another instance has published. */
  observe(document: LiveDocument, bytes: Uint8Array): void {
    if (!document.isOpen) return;
    const { awareness } = document.document;
    const { update, entries, reassert } = document.awareness.observe(bytes);
    applyStates(awareness, entries, null);
    if (update) document.fanOut.showPresence(update);
    if (!reassert) return;
    applyAwarenessUpdate(awareness, reassert, null);
    document.fanOut.showPresence(reassert);
    this.ports.replication.publishAwareness(document, reassert);
  }
}

/** None when it is not an awareness frame, or one that is refused when it is handled. */
function clientsSpokenFor(frame: Uint8Array): readonly number[] {
  try {
    const reader = new FrameReader(frame);
    return reader.uint() === FrameType.Awareness
      ? readAwarenessFrame(reader.block()).map(({ client }) => client)
      : [];
  } catch {
    return [];
  }
}

function mayShow({ isOpen, access }: Session): boolean {
  return isOpen && access.role?.presence === true;
}
