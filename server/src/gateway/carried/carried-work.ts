import type { AuditLog } from '@weft/audit';
import {
  nameOf,
  WeftError,
  type Clock,
  type ClockRange,
  type Logger,
  type Principal,
  type UpdateAnalysis,
} from '@weft/common';
import type { Claims, ClientBindings } from '@weft/authorize';
import { findEquivocation, isEmptyUpdate, splitByAuthor, type GuardLimits } from '@weft/guard';
import type { Owed } from '../document/acknowledgements.ts';
import type { CarriedClocks } from './carried-clocks.ts';
import { CarriedLooks } from './carried-looks.ts';
import { writeInTurns } from './carried-turns.ts';
import { mayWrite } from '../access/may-write.ts';
import type { SessionAccess } from '../access/session-access.ts';
import type { Walks } from '../guard/walks.ts';
import type { GatewayLimits } from '../limits.ts';
import { refusedBody } from '../wire/messages.ts';
import type { LiveDocument } from '../document/live-document.ts';
import type { Session } from '../session/session.ts';

/** Edits of others that somebody brought, and what depends on them, waiting for their authors. */
interface Waiting {
  readonly carrier: Session;
  readonly update: Uint8Array;
  /** The answer that the carrier is owed. */
  readonly owed: Owed;
  /** When they are taken from the carrier, milliseconds since 1970; `Infinity`: never. */
  readonly takenAt: number;
}

/** Milliseconds after a database was put back in which whoever was there before comes back. */
const FORGOTTEN_FOR = 600_000;

export interface CarriedWorkPorts {
  readonly clock: Clock;
  readonly limits: Pick<GatewayLimits, 'carriedGrace' | 'carriedBytes'>;
  readonly guardLimits: Partial<GuardLimits>;
  readonly logger: Logger;
  readonly audit: Pick<AuditLog, 'record'>;
  readonly bindings: Pick<ClientBindings, 'ownerOf' | 'claims'>;
  readonly access: Pick<SessionAccess, 'resolve'>;
  readonly walks: Walks;
  readonly clocks: CarriedClocks;
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
  private readonly waiting = new Map<LiveDocument, Waiting[]>();
  private readonly looks = new CarriedLooks((document) => this.look(document));

  constructor(ports: CarriedWorkPorts) {
    this.ports = ports;
  }

  /** An update with edits of other people. Answers the carrier when all of it is decided. */
  receive(session: Session, analysis: UpdateAnalysis): void {
    const { document } = session;
    const split = splitByAuthor(analysis.update, (client) => this.isOwn(session, client));
    if (!isEmptyUpdate(split.own)) this.takeOwn(session, split.own);
    if (!session.isOpen) return;
    if (this.bytesWaiting(document) + analysis.update.length > this.ports.limits.carriedBytes) {
      throw new WeftError('server-overloaded', { detail: 'too much carried work' });
    }
    const { carriedGrace } = this.ports.limits;
    const list = this.waiting.get(document) ?? [];
    this.waiting.set(document, list);
    list.push({
      carrier: session,
      update: analysis.update,
      owed: document.answers.oweLater(session),
      takenAt: this.ports.clock.now() + carriedGrace,
    });
    this.looks.soon(document);
  }

  /**
   * Whether what somebody brings may be of people whose Yjs clients were known before the database was put back. Who
   * is here shows their own first; what is taken for the carrier's else would be theirs for good.
   */
  mayHoldForgotten({ log: { renewed, epoch } }: LiveDocument): boolean {
    return renewed && this.ports.clock.now() - epoch < FORGOTTEN_FOR;
  }

  /** Whether a session brought something that still waits: what it sends meanwhile may depend on it. */
  isCarrying(session: Session): boolean {
    return this.waiting.get(session.document)?.some(({ carrier }) => carrier === session) ?? false;
  }

  /** An update that depends on what waits: it waits too. */
  receiveDependent(session: Session, update: Uint8Array): void {
    const { document } = session;
    if (this.bytesWaiting(document) + update.length > this.ports.limits.carriedBytes) {
      throw new WeftError('server-overloaded', { detail: 'too much carried work' });
    }
    this.waiting.get(document)?.push({
      carrier: session,
      update: update.slice(),
      owed: document.answers.oweLater(session),
      takenAt: Infinity,
    });
  }

  private analyze(
    { principal, document: { document } }: Session,
    update: Uint8Array,
  ): UpdateAnalysis | undefined {
    return this.ports.walks.analyze({ principal, document, update });
  }

  private isOwn(session: Session, client: number): boolean {
    const owner = this.ports.bindings.ownerOf(session.key, client);
    return owner === undefined ? !this.mayHoldForgotten(session.document) : owner === session.principal.user;
  }

  private takeOwn(session: Session, update: Uint8Array): void {
    const analysis = this.analyze(session, update);
    if (!analysis || analysis.noop || analysis.missing.length > 0) return;
    if (mayWrite(session.access.role, analysis))
      void session.document.writer.write(session, analysis, 'edit');
  }

  private bytesWaiting(document: LiveDocument): number {
    let bytes = 0;
    for (const { update } of this.waiting.get(document) ?? []) bytes += update.length;
    return bytes;
  }

  /** Called every second. */
  sweep(): void {
    for (const document of this.waiting.keys()) this.looks.now(document);
  }

  /** Rows of other instances have come: their authors are there, and what waits here may build on them. */
  changed(document: LiveDocument): void {
    if (this.waiting.has(document)) this.looks.soon(document);
  }

  /** In strict mode what is written in turns waits for its commits, and nothing else may be decided meanwhile. */
  private async look(document: LiveDocument): Promise<void> {
    try {
      if (!document.discarded) await writeInTurns(this.ports, document, this.waiting.get(document) ?? []);
    } catch (err) {
      this.ports.logger.error(
        { err, document: document.key },
        'what was brought back could not be taken in turns',
      );
    }
    this.settleAll(document, this.ports.clock.now());
  }

  private settleAll(document: LiveDocument, now: number): void {
    const list = this.waiting.get(document) ?? [];
    const left = document.discarded ? [] : list.filter((item) => !this.settleOrFail(document, item, now));
    if (left.length === 0) this.waiting.delete(document);
    else this.waiting.set(document, left);
  }

  private settleOrFail(document: LiveDocument, item: Waiting, now: number): boolean {
    try {
      return this.settle(document, item, now);
    } catch (error) {
      item.carrier.failed(error);
      return true;
    }
  }

  /** Whether the item is decided. */
  private settle(document: LiveDocument, item: Waiting, now: number): boolean {
    const { carrier } = item;
    if (!carrier.isOpen) return true;
    const analysis = this.analyze(carrier, item.update);
    // The carrier's share of the processor is used up.
    if (!analysis) return false;
    if (this.isContradicted(document, item, analysis)) return true;
    if (analysis.noop) {
      this.answer(document, item, true);
      return true;
    }
    if (analysis.missing.length > 0) return false;
    const authors = this.foreignAuthors(carrier, analysis);
    if (authors.size === 0) {
      const allowed = mayWrite(carrier.access.role, analysis);
      if (allowed) void document.writer.write(carrier, analysis, 'edit');
      this.answer(document, item, allowed);
      return true;
    }
    if (now < item.takenAt) return false;
    if (isHere(document, analysis)) return false;
    void this.take(document, item, analysis, authors).catch((error: unknown) => carrier.failed(error));
    return true;
  }

  /** `undefined` is somebody whom the database has forgotten. */
  private foreignAuthors(carrier: Session, analysis: UpdateAnalysis): Set<string | undefined> {
    const people = new Set<string | undefined>();
    for (const { client } of analysis.authors) {
      const owner = this.ports.bindings.ownerOf(carrier.key, client);
      if (!this.isOwn(carrier, client)) people.add(owner);
    }
    return people;
  }

  /** The grace is over: taken from the carrier if both the carrier and every author may write it. */
  private async take(
    document: LiveDocument,
    item: Waiting,
    before: UpdateAnalysis,
    everybody: ReadonlySet<string | undefined>,
  ): Promise<void> {
    const { carrier } = item;
    const { tenant } = carrier.principal;
    const authors = [...everybody].filter((user) => user !== undefined);
    const roles = await Promise.all(
      authors.map(async (user) => {
        const claims = await this.ports.bindings.claims.of(carrier.key, user);
        return (await this.ports.access.resolve(absent(tenant, user, claims), carrier.key)).role;
      }),
    );
    if (!carrier.isOpen || document.discarded) return;
    const allowed = [carrier.access.role, ...roles].every((role) => mayWrite(role, before));
    this.ports.audit.record({
      tenant,
      action: allowed ? 'update.carried' : 'update.carried-refused',
      actor: carrier.principal.user,
      document: nameOf(document.key),
      session: carrier.id,
      detail: { authors },
    });
    if (!allowed) {
      this.answer(document, item, false);
      carrier.sendNow(refusedBody('client-id-taken', { repaired: false }));
      carrier.end('document-rebuild');
      return;
    }
    // The author may have come back while the permissions were read.
    const analysis = this.analyze(carrier, item.update);
    if (!analysis) throw new WeftError('update-costly');
    if (this.isContradicted(document, item, analysis)) return;
    if (!analysis.noop) {
      this.ports.clocks.note(document, analysis.authors);
      void document.writer.write(carrier, analysis, 'carried');
    }
    this.answer(document, item, true);
  }

  /** Whether the author, or another carrier, has brought other content than the item: its carrier has to rebuild. */
  private isContradicted(document: LiveDocument, item: Waiting, { update }: UpdateAnalysis): boolean {
    // Nothing of it is known.
    if (update === item.update) return false;
    const { guardLimits: limits } = this.ports;
    const range = findEquivocation(document.document, item.update, { limits });
    if (!range) return false;
    this.answer(document, item, false);
    this.endForEquivocation(item.carrier, range);
    return true;
  }

  /**
   * Ends the session of somebody whose update says something else about clocks that were carried than what was taken
   * then: their copy and everybody else's would stay different for ever. Answers the update.
   *
   * @returns whether it does.
   */
  refuseEquivocation(session: Session, update: Uint8Array): boolean {
    const range = this.ports.clocks.contradicted(session.document, update);
    if (!range) return false;
    session.document.answers.owe(session, false);
    this.endForEquivocation(session, range);
    return true;
  }

  private endForEquivocation(session: Session, { client, clock, length }: ClockRange): void {
    const { audit, bindings } = this.ports;
    const { tenant, user } = session.principal;
    audit.record({
      tenant,
      action: 'update.equivocation',
      actor: user,
      document: nameOf(session.key),
      session: session.id,
      code: 'document-rebuild',
      detail: { author: bindings.ownerOf(session.key, client), client, clock, length },
    });
    session.sendNow(refusedBody('client-id-taken', { repaired: false }));
    session.end('document-rebuild');
  }

  private answer(document: LiveDocument, { carrier, owed }: Waiting, saved: boolean): void {
    owed.decide(document.progress.lastTicket, saved);
    document.answers.settle(carrier);
  }
}

/** Whether a session of one of these very Yjs clients is open; the same person in a new tab can't bring them. */
function isHere(document: LiveDocument, { authors }: UpdateAnalysis): boolean {
  for (const session of document.sessions) {
    if (authors.some(({ client }) => session.clients.has(client))) return true;
  }
  return false;
}

const NO_CLAIMS: Claims = { groups: [], grants: {}, expiresAt: Number.MAX_SAFE_INTEGER };

/** A person who is not here to show a token: what the newest one said counts until it ends. */
function absent(tenant: string, user: string, claims: Claims = NO_CLAIMS): Principal {
  return {
    tenant,
    user,
    name: undefined,
    color: undefined,
    scopes: [],
    ...claims,
    tokenId: undefined,
  };
}
