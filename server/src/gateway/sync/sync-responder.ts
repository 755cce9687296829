import { setTimeout as delay } from 'node:timers/promises';
import { SyncType, WeftError, type Clock } from '@weft/common';
import type { DeletedRanges } from '@weft/guard';
import * as Y from 'yjs';
import type { CarriedClocks } from '../carried/carried-clocks.ts';
import type { GatewayMetrics } from '../gateway-metrics.ts';
import type { GatewayLimits } from '../limits.ts';
import type { UpdatePipeline } from '../updates/update-pipeline.ts';
import { SYNCED_BODY, syncStep1Body, syncStep2Body } from '../wire/frames.ts';
import type { Resumption, MissedUpdate, StateVector } from './resumption.ts';
import type { LiveDocument } from '../document/live-document.ts';
import type { StateMark } from '../document/state-cache.ts';
import type { SessionClient } from '../session/client.ts';
import type { Session } from '../session/session.ts';

const SYNC_PAUSE = 250;
/** Milliseconds that a document is not made for its first reader to be sent it: making it stops all writing. */
const AHEAD_PATIENCE = 50;

/** An encoded state vector of no clients: the sender has nothing yet. */
function isEmptyStateVector(bytes: Uint8Array): boolean {
  return bytes.length === 1 && bytes[0] === 0;
}

/** A client whose session is being opened. */
interface AwaitingClient extends SessionClient {
  /** Whether it has asked for the whole document, and waits. */
  readonly awaitsEverything: boolean;
}

export interface SyncResponderPorts {
  readonly clock: Clock;
  readonly limits: Pick<GatewayLimits, 'stateVectorBytes'>;
  readonly metrics: Pick<GatewayMetrics, 'synced'>;
  readonly clocks: CarriedClocks;
  readonly resumption: Resumption;
  readonly updates: Pick<UpdatePipeline, 'receive'>;
}

/** Answers SyncStep1: what the client lacks, and the question what the server lacks. */
export class SyncResponder {
  private readonly ports: SyncResponderPorts;
  /** What clients were sent before their session was open. */
  private readonly sentAhead = new WeakMap<SessionClient, StateMark>();

  constructor(ports: SyncResponderPorts) {
    this.ports = ports;
  }

  /**
   * Making a document of what the log has takes 200 ms per megabyte. Whoever has nothing of it is sent what the log has
   * before that; the rest, and the question, when their turn comes.
   */
  async sendAhead(client: AwaitingClient, { states, made, discarded }: LiveDocument): Promise<void> {
    if (made || discarded || !states.filled || !client.awaitsEverything) return;
    const { out } = client;
    for (const frame of states.frames(client, this.ports.clock.now())) out.enqueueState(frame);
    this.sentAhead.set(client, states.mark());
    out.flush();
    await Promise.race([out.drained(), delay(AHEAD_PATIENCE)]);
  }

  /** Whether a client whose session is not open yet has content of its document. */
  hasSentAhead(client: SessionClient): boolean {
    return this.sentAhead.has(client);
  }

  answerStep1(session: Session, stateVector: Uint8Array): void | Promise<void> {
    if (stateVector.length > this.ports.limits.stateVectorBytes) throw new WeftError('frame-too-large');
    // Who has nothing cannot have something else.
    const learning = isEmptyStateVector(stateVector) ? undefined : this.ports.clocks.learn(session.document);
    if (!learning) return this.answerSoon(session, stateVector);
    const copy = stateVector.slice();
    return learning.then(() => this.answerSoon(session, copy));
  }

  private answerSoon(session: Session, stateVector: Uint8Array): void | Promise<void> {
    // A few bytes of question ask for megabytes of answer: one answer at a time leaves for the network.
    if (session.client.out.congested || !session.syncBudget.take())
      return this.answerLater(session, stateVector);
    return this.answer(session, stateVector);
  }

  /** The client's answer to the server's own question: what it has and the server lacks. */
  receiveStep2(session: Session, update: Uint8Array): void | Promise<void> {
    const { resumption } = this.ports;
    const deletions = resumption.deletionsOf(session, update);
    if (deletions && resumption.bringsNothing(session, update, deletions)) {
      session.document.answers.owe(session, true);
      return this.synced(session, deletions);
    }
    const done = this.ports.updates.receive(session, SyncType.Step2, update);
    if (done) return done.then(() => this.synced(session, deletions));
    this.synced(session, deletions);
  }

  private synced(session: Session, deletions: DeletedRanges | undefined): void {
    session.document.answers.synced(session);
    this.ports.resumption.complete(session, deletions);
  }

  private async answerLater(session: Session, stateVector: Uint8Array): Promise<void> {
    await session.client.out.drained();
    while (!session.syncBudget.take()) await delay(SYNC_PAUSE);
    return this.answer(session, stateVector);
  }

  private answer(session: Session, stateVector: Uint8Array): void | Promise<void> {
    if (!session.isOpen) return;
    if (isEmptyStateVector(stateVector)) return this.sendState(session);
    const missed = this.ports.resumption.missed(session, decodeStateVector(stateVector));
    if (missed instanceof Promise) {
      const copy = stateVector.slice();
      return missed.then((later) => this.sendMissed(session, copy, later));
    }
    this.sendMissed(session, stateVector, missed);
  }

  private sendState(session: Session): void {
    const sentAhead = this.sentAhead.get(session.client);
    this.sentAhead.delete(session.client);
    this.ports.metrics.synced('state');
    const { states } = session.document;
    const now = this.ports.clock.now();
    const frames = sentAhead ? states.framesSince(sentAhead, session, now) : states.frames(session, now);
    this.send(session, [...frames, session.frame(SYNCED_BODY)]);
  }

  private sendMissed(session: Session, stateVector: Uint8Array, missed: MissedUpdate | undefined): void {
    if (!session.isOpen) return;
    this.ports.metrics.synced(missed?.source ?? 'difference');
    if (!missed) this.ports.resumption.supersede(session);
    const update = missed?.update ?? Y.encodeStateAsUpdate(session.document.document, stateVector);
    this.send(session, [session.frame(syncStep2Body(update))], stateVector);
  }

  private send(session: Session, frames: readonly Buffer[], stateVector?: Uint8Array): void {
    session.acknowledgements.holdUntilSynced();
    const question = this.ports.clocks.question(session.document, stateVector);
    session.enqueue(session.frame(syncStep1Body(question)));
    for (const frame of frames) session.client.out.enqueueState(frame);
    session.document.fanOut.flushSoon(session);
  }
}

function decodeStateVector(bytes: Uint8Array): StateVector {
  try {
    return Y.decodeStateVector(bytes);
  } catch (cause) {
    throw new WeftError('frame-malformed', { detail: 'state vector', cause });
  }
}
