import { WeftError, type Clock, type Logger, type UpdateAnalysis } from '@weft/common';
import { isEmptyUpdate, splitByAuthor, type GuardLimits } from '@weft/guard';
import { mayWrite } from '../access/may-write.ts';
import type { SessionAccess } from '../access/session-access.ts';
import type { LiveDocument } from '../document/live-document.ts';
import type { Walks } from '../guard/walks.ts';
import type { GatewayLimits } from '../limits.ts';
import type { Session } from '../session/session.ts';
import type { Authorship } from './authorship.ts';
import type { CarriedDecision, CarriedItem } from './carried-decision.ts';
import { CarriedLooks } from './carried-looks.ts';
import { writeInTurns } from './carried-turns.ts';

export interface CarriedWorkPorts {
  readonly clock: Clock;
  readonly limits: Pick<GatewayLimits, 'carriedGrace' | 'carriedBytes'>;
  readonly guardLimits: Partial<GuardLimits>;
  readonly logger: Logger;
  readonly access: Pick<SessionAccess, 'hasEnded'>;
  readonly walks: Walks;
  readonly authorship: Authorship;
  readonly decision: CarriedDecision;
}

/**
 * Work that comes back by others. In live mode a crash can leave an author's shown but unsaved edits only with those
 * who saw them, and they bring them in their next sync. To refuse would leave everybody on "Saving…"; to accept
 * would let anybody write in another's name. So what the carrier wrote is taken at once, and the rest waits for its
 * author, who normally reconnects within seconds and brings it; several who build on each other are taken in turns.
 * After a grace it is taken from the carrier, under the carrier's name, if both may write it, and never while its
 * author is here.
 */
export class CarriedWork {
  private readonly ports: CarriedWorkPorts;
  private readonly waiting = new Map<LiveDocument, CarriedItem[]>();
  private readonly looks = new CarriedLooks((document) => this.look(document));

  constructor(ports: CarriedWorkPorts) {
    this.ports = ports;
  }

  /** An update with edits of other people. Answers the carrier when all of it is decided. */
  receive(session: Session, { update }: UpdateAnalysis): void {
    const { authorship } = this.ports;
    const split = splitByAuthor(update, (client) => authorship.isOwn(session, client));
    if (!isEmptyUpdate(split.own)) this.takeOwn(session, split.own);
    if (!session.isOpen) return;
    this.add(session, update);
    this.looks.soon(session.document);
  }

  /** Whether a session brought something that still waits: what it sends meanwhile may depend on it. */
  isCarrying(session: Session): boolean {
    return this.waiting.get(session.document)?.some(({ carrier }) => carrier === session) ?? false;
  }

  /** An update that depends on what waits: it waits too. */
  receiveDependent(session: Session, update: Uint8Array): void {
    this.add(session, update.slice());
  }

  private add(carrier: Session, update: Uint8Array): void {
    const { clock, limits } = this.ports;
    const { document } = carrier;
    const list = this.waiting.get(document) ?? [];
    const bytes = list.reduce((sum, { update: { length } }) => sum + length, update.length);
    if (bytes > limits.carriedBytes) {
      throw new WeftError('server-overloaded', { detail: 'too much carried work' });
    }
    this.waiting.set(document, list);
    const takenAt = clock.now() + limits.carriedGrace;
    list.push({ carrier, update, owed: document.answers.oweLater(carrier), takenAt });
  }

  private takeOwn(session: Session, update: Uint8Array): void {
    const { principal, access, document } = session;
    if (this.ports.access.hasEnded(access)) return;
    const analysis = this.ports.walks.analyze({ principal, document: document.document, update });
    if (!analysis || analysis.noop || analysis.missing.length > 0) return;
    if (mayWrite(access.role, analysis)) void document.writer.write(session, analysis, 'edit');
  }

  /** Called every second. */
  sweep(): void {
    for (const document of this.waiting.keys()) this.looks.now(document);
  }

  /** What waits may build on what has come: rows of other instances, whose authors are there, or what was taken. */
  changed(document: LiveDocument): void {
    if (this.waiting.has(document)) this.looks.soon(document);
  }

  /** In strict mode what is written in turns waits for its commits, and nothing else may be decided meanwhile. */
  private async look(document: LiveDocument): Promise<void> {
    try {
      if (!document.discarded) await writeInTurns(this.ports, document, this.decidable(document));
    } catch (err) {
      this.ports.logger.error(
        { err, document: document.key },
        'what was brought back could not be taken in turns',
      );
    }
    this.decideAll(document, this.ports.clock.now());
  }

  /** Without those whose carrier's rights are being asked. */
  private decidable(document: LiveDocument): readonly CarriedItem[] {
    const list = this.waiting.get(document) ?? [];
    return list.filter(({ carrier }) => !carrier.isOpen || !this.ports.access.hasEnded(carrier.access));
  }

  private decideAll(document: LiveDocument, now: number): void {
    const list = this.waiting.get(document) ?? [];
    const decidable = new Set(this.decidable(document));
    const isLeft = (item: CarriedItem) => !decidable.has(item) || !this.decideOrFail(item, now);
    const left = document.discarded ? [] : list.filter(isLeft);
    if (left.length === 0) this.waiting.delete(document);
    else this.waiting.set(document, left);
  }

  private decideOrFail(item: CarriedItem, now: number): boolean {
    try {
      const decided = this.ports.decision.decide(item, now);
      if (typeof decided === 'boolean') return decided;
      // What it sent after it builds on it.
      void decided.then(() => this.changed(item.carrier.document));
      return true;
    } catch (error) {
      item.carrier.failed(error);
      return true;
    }
  }
}
