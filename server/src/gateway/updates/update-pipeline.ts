import { setTimeout as delay } from 'node:timers/promises';
import type { AuditLog } from '@weft/audit';
import {
  nameOf,
  SyncType,
  toWeftError,
  WeftError,
  type ErrorCode,
  type Logger,
  type UpdateAnalysis,
} from '@weft/common';
import { decideUpdate, type ClientBindings } from '@weft/authorize';
import { isEmptyUpdate } from '@weft/guard';
import type { SessionAccess } from '../access/session-access.ts';
import type { Authorship } from '../carried/authorship.ts';
import type { Equivocation } from '../carried/equivocation.ts';
import type { CarriedWork } from '../carried/carried-work.ts';
import type { Replication } from '../document/replication.ts';
import type { GatewayMetrics } from '../gateway-metrics.ts';
import type { GatewayLimits } from '../limits.ts';
import { refusedBody } from '../wire/messages.ts';
import type { Session } from '../session/session.ts';
import { isForLackOfShare, type Walks } from '../guard/walks.ts';

/** Milliseconds that the log is given to bring what an update lacks. */
const CATCH_UP = 2_000;
/** Bytes from which an update is timed. */
const LARGE_UPDATE = 4096;
/** Milliseconds of processor that one session may use of each second, after its burst. */
const CPU_PER_SECOND = 250;
/** Malformed updates that a session is forgiven. */
const MALFORMED_ALLOWED = 2;
/** What the guard refuses an update for. */
const GUARD_REFUSALS: ReadonlySet<ErrorCode> = new Set([
  'update-malformed',
  'nested-too-deep',
  'subdocument-forbidden',
  'update-costly',
  'document-rebuild',
]);
/** Never will anybody take it, though its sender need not have meant any harm. */
const NEVER_TAKEN: ReadonlySet<ErrorCode> = new Set(['document-rebuild', 'nested-too-deep']);
/** Updates in a row with unknown dependencies, after which the client syncs from the start. */
const MISSING_ALLOWED = 5;

export interface UpdatePipelinePorts {
  readonly limits: Pick<GatewayLimits, 'updateBytes' | 'updatesPerSecond'>;
  readonly logger: Logger;
  readonly metrics: GatewayMetrics;
  readonly audit: Pick<AuditLog, 'record'>;
  readonly bindings: Pick<ClientBindings, 'ownerOf'>;
  readonly walks: Walks;
  readonly access: Pick<SessionAccess, 'rememberClaims' | 'hasEnded' | 'untilKnown'>;
  readonly authorship: Pick<Authorship, 'mayHoldForgotten' | 'claim'>;
  readonly equivocation: Pick<Equivocation, 'refuse'>;
  readonly carried: CarriedWork;
  readonly replication: Pick<Replication, 'catchUp'>;
}

/**
 * The way of one update into its document: limits → guard → author → authorize → write. Each step either hands
 * on or answers the sender; the sender gets exactly one SyncStatus whichever way it ends.
 */
export class UpdatePipeline {
  private readonly ports: UpdatePipelinePorts;

  constructor(ports: UpdatePipelinePorts) {
    this.ports = ports;
  }

  receive(session: Session, type: number, update: Uint8Array): void | Promise<void> {
    const { limits } = this.ports;
    if (update.length > limits.updateBytes) throw new WeftError('frame-too-large');
    if (session.updateBudget.take()) return this.measured(session, type, update);
    // Slowed down, not refused: a refused Yjs update would take everything after it along.
    return this.whenAllowed(session).then(() => this.measured(session, type, update));
  }

  private async whenAllowed(session: Session): Promise<void> {
    this.ports.metrics.throttled.inc();
    while (!session.updateBudget.take()) await delay(1000 / this.ports.limits.updatesPerSecond);
  }

  /** What large updates cost in time is taken off the sender's rate; small ones are counted, not timed. */
  private measured(session: Session, type: number, update: Uint8Array): void | Promise<void> {
    if (update.length < LARGE_UPDATE) return this.guard(session, type, update);
    const start = performance.now();
    const outcome = this.guard(session, type, update);
    const share = (performance.now() - start) / CPU_PER_SECOND;
    session.updateBudget.debit(share * this.ports.limits.updatesPerSecond);
    return outcome;
  }

  private guard(session: Session, type: number, update: Uint8Array): void | Promise<void> {
    if (!session.isOpen) return;
    if (isEmptyUpdate(update)) return session.document.answers.owe(session, true);
    // Those who may write nothing cost nothing: only their sync on joining is looked into, since it may be empty.
    if (!session.mayWrite && type === SyncType.Update) return this.refuseReader(session);
    const analysis = this.analyze(session, type, update);
    if (analysis === undefined || analysis instanceof Promise) return analysis;
    return this.decide(session, type, update, analysis);
  }

  private decide(
    session: Session,
    type: number,
    update: Uint8Array,
    analysis: UpdateAnalysis,
  ): void | Promise<void> {
    const mayBeOthers = type === SyncType.Step2 && session.access.role?.write !== '*';
    if (mayBeOthers && !analysis.noop && analysis.missing.length === 0)
      return this.settleWithLog(session, type, update.slice());
    return this.settle(session, type, update, analysis);
  }

  /**
   * Who may not write everything may have seen on another instance what has not reached this one yet: then it is nothing
   * of their own, and nothing to refuse.
   */
  private async settleWithLog(session: Session, type: number, update: Uint8Array): Promise<void> {
    await this.readLog(session);
    try {
      await this.ports.walks.later(workOf(session, update), (analysis) => {
        if (session.isOpen) return this.settle(session, type, update, analysis);
      });
    } catch (error) {
      this.refuseGuarded(session, error);
    }
  }

  private settle(
    session: Session,
    type: number,
    update: Uint8Array,
    analysis: UpdateAnalysis,
  ): void | Promise<void> {
    if (analysis.missing.length > 0) return this.missing(session, type, update);
    session.missing = 0;
    // Something in it is known already, which is where it may say something else.
    if (analysis.update !== update && this.ports.equivocation.refuse(session, update)) return;
    if (analysis.noop) return session.document.answers.owe(session, true);
    if (!session.mayWrite) return this.refuseReader(session);
    return this.author(session, type, analysis);
  }

  /** Nothing: it is refused. A promise: it is dear, and goes its way later. */
  private analyze(
    session: Session,
    type: number,
    update: Uint8Array,
  ): UpdateAnalysis | Promise<void> | undefined {
    try {
      const analysis = this.ports.walks.analyze(workOf(session, update));
      return analysis ?? this.analyzeLater(session, type, update.slice());
    } catch (error) {
      return this.refuseGuarded(session, error);
    }
  }

  private async analyzeLater(session: Session, type: number, update: Uint8Array): Promise<void> {
    try {
      await this.ports.walks.later(workOf(session, update), (analysis) => {
        if (session.isOpen) return this.decide(session, type, update, analysis);
      });
    } catch (error) {
      this.refuseGuarded(session, error);
    }
  }

  // ── author: whose clocks are these ─────────────────────────────────────────

  private author(session: Session, type: number, analysis: UpdateAnalysis): void | Promise<void> {
    const { authorship, bindings } = this.ports;
    const mixed = type === SyncType.Step2 && authorship.mayHoldForgotten(session.document);
    const unbound: number[] = [];
    let foreign = false;
    for (const { client } of analysis.authors) {
      if (session.clients.has(client)) continue;
      const owner = bindings.ownerOf(session.key, client);
      if (owner === undefined && mixed) foreign = true;
      else if (owner === undefined) unbound.push(client);
      else if (owner === session.principal.user) this.comeBack(session, client);
      else foreign = true;
    }
    // Of others' too: whose a client is that is not known here may be known to the database. Analysed anew afterwards,
    // since the document may have changed meanwhile.
    if (unbound.length > 0)
      return authorship
        .claim(session, unbound)
        .then(() => this.guard(session, SyncType.Step2, analysis.update));
    if (foreign) return this.ports.carried.receive(session, analysis);
    return this.authorize(session, analysis);
  }

  /** A Yjs client of an earlier session, perhaps with another token. */
  private comeBack(session: Session, client: number): void {
    if (session.clients.size === 0) this.ports.access.rememberClaims(session);
    session.speaksFor(client);
  }

  // ── authorize and write ────────────────────────────────────────────────────

  private authorize(session: Session, analysis: UpdateAnalysis): void | Promise<void> {
    // It may have waited since it came.
    if (this.ports.access.hasEnded(session.access)) return this.whenKnown(session, analysis.update);
    const { role } = session.access;
    if (!role) throw new WeftError('access-removed');
    const decision = decideUpdate(role, analysis);
    if (!decision.allow) return this.refuseForbidden(session, analysis, decision.code);
    const { document } = session;
    let done: void | Promise<void>;
    try {
      done = document.writer.write(session, analysis, 'edit');
    } catch (error) {
      // Of this document: the others on the socket go on.
      return session.failed(error);
    }
    this.ports.metrics.updates.inc();
    // Due when it is committed.
    document.answers.owe(session, true);
    return done;
  }

  /** Analysed anew afterwards, since the document may have changed meanwhile. */
  private async whenKnown(session: Session, update: Uint8Array): Promise<void> {
    await this.ports.access.untilKnown(session);
    return this.guard(session, SyncType.Step2, update);
  }

  // ── refusals ───────────────────────────────────────────────────────────────

  /** What the guard has thrown; anything else is no refusal, and thrown on. */
  private refuseGuarded(session: Session, error: unknown): undefined {
    const { code, detail } = toWeftError(error);
    if (!GUARD_REFUSALS.has(code)) throw error;
    if (!session.isOpen) return;
    this.ports.logger.warn(
      { document: nameOf(session.key), actor: session.principal.user, code, detail },
      'refused an update',
    );
    this.refuse(session, code, false);
    if (NEVER_TAKEN.has(code) || (code === 'update-costly' && !isForLackOfShare(error))) {
      session.end('document-rebuild');
      return;
    }
    session.malformed += 1;
    if (session.malformed > MALFORMED_ALLOWED) session.end(code);
  }

  /** The log may have what is missing; else the client is asked for it. */
  private missing(session: Session, type: number, update: Uint8Array): void | Promise<void> {
    // After a time offline a stock client sends its changes one by one before it says what else the server lacks.
    if (type === SyncType.Update && session.acknowledgements.syncing) {
      return session.acknowledgements.oweWithSync();
    }
    // It builds on edits that wait for their author.
    if (this.ports.carried.isCarrying(session)) return this.ports.carried.receiveDependent(session, update);
    return this.catchUp(session, type, update.slice());
  }

  private async catchUp(session: Session, type: number, update: Uint8Array): Promise<void> {
    await this.readLog(session);
    if (!session.isOpen) return;
    if (this.isComplete(session, update)) return this.guard(session, type, update);
    session.missing += 1;
    this.ports.metrics.refusal('update-missing-dependencies');
    if (session.missing > MISSING_ALLOWED) throw new WeftError('update-missing-dependencies');
    session.document.answers.owe(session, false);
    session.askForSync();
  }

  /** With the database away it would wait for as long as that takes. */
  private async readLog({ document }: Session): Promise<void> {
    await Promise.race([
      this.ports.replication.catchUp(document),
      delay(CATCH_UP, undefined, { ref: false }),
    ]);
  }

  private isComplete(session: Session, update: Uint8Array): boolean {
    try {
      return this.ports.walks.analyze(workOf(session, update))?.missing.length === 0;
    } catch {
      // Why it is refused is found again, and said.
      return true;
    }
  }

  private refuseReader(session: Session): void {
    this.refuse(session, 'write-forbidden', false);
    session.end('document-rebuild');
  }

  /**
   * The author's replica now has what nobody else may get. Inserts are undone for everybody by deleting the very
   * clocks they took, so that the author can go on; a deletion cannot be undone, so that copy is given up.
   */
  private refuseForbidden(session: Session, analysis: UpdateAnalysis, code: ErrorCode): void {
    const repairable = !analysis.deletes && analysis.authors.length > 0 && session.repairBudget.take();
    this.refuse(session, code, repairable);
    if (!repairable) {
      session.end('document-rebuild');
      return;
    }
    session.document.writer.repair(session, analysis);
    session.askForSync();
  }

  private refuse(session: Session, code: ErrorCode, repaired: boolean): void {
    this.ports.metrics.refusal(code);
    const { tenant, user } = session.principal;
    this.ports.audit.record({
      tenant,
      action: 'update.refused',
      actor: user,
      document: nameOf(session.key),
      session: session.id,
      code,
    });
    session.document.answers.owe(session, false);
    session.sendNow(refusedBody(code, { repaired }));
  }
}

function workOf({ principal, document: { document } }: Session, update: Uint8Array) {
  return { principal, document, update };
}
