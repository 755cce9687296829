import type { AuditLog } from '@weft/audit';
import type { Claims, ClientBindings } from '@weft/authorize';
import { nameOf, WeftError, type ErrorCode, type Principal, type UpdateAnalysis } from '@weft/common';
import { mayWrite } from '../access/may-write.ts';
import type { SessionAccess } from '../access/session-access.ts';
import type { Owed } from '../document/acknowledgements.ts';
import type { LiveDocument } from '../document/live-document.ts';
import type { Walks } from '../guard/walks.ts';
import type { Session } from '../session/session.ts';
import { refusedBody } from '../wire/messages.ts';
import type { Authorship } from './authorship.ts';
import type { CarriedClocks } from './carried-clocks.ts';
import type { Equivocation } from './equivocation.ts';

/** Edits of others that somebody brought, and what depends on them, waiting for their authors. */
export interface CarriedItem {
  readonly carrier: Session;
  readonly update: Uint8Array;
  /** The answer that the carrier is owed. */
  readonly owed: Owed;
  /** When they are taken from the carrier, by the gateway's steady clock. */
  readonly takenAt: number;
}

export interface CarriedDecisionPorts {
  readonly audit: Pick<AuditLog, 'record'>;
  readonly bindings: Pick<ClientBindings, 'claims'>;
  readonly access: Pick<SessionAccess, 'resolve' | 'hasEnded' | 'untilKnown'>;
  readonly walks: Walks;
  readonly authorship: Authorship;
  readonly clocks: Pick<CarriedClocks, 'note'>;
  readonly equivocation: Equivocation;
}

/** Decides what becomes of carried edits, and answers their carrier. */
export class CarriedDecision {
  private readonly ports: CarriedDecisionPorts;
  /** Those of which it is being asked whose Yjs clients they are of. */
  private readonly asking = new WeakSet<CarriedItem>();

  constructor(ports: CarriedDecisionPorts) {
    this.ports = ports;
  }

  /**
   * @param now by the gateway's steady clock, milliseconds
   * @returns whether the item is decided; a promise while it is being taken from its carrier
   */
  decide(item: CarriedItem, now: number): boolean | Promise<void> {
    const { carrier } = item;
    const { document } = carrier;
    if (!carrier.isOpen) return true;
    const analysis = this.analyze(item);
    // The carrier's share of the processor is used up.
    if (!analysis) return false;
    if (this.isContradicted(item, analysis)) return true;
    if (analysis.noop) {
      answer(item, true);
      return true;
    }
    if (analysis.missing.length > 0 || this.asking.has(item)) return false;
    const unknown = this.ports.authorship.unknownClients(carrier, analysis);
    if (unknown.length > 0) {
      void this.ask(item, unknown);
      return false;
    }
    const authors = this.ports.authorship.foreignAuthors(carrier, analysis);
    if (authors.size === 0) {
      if (!mayWrite(carrier.access.role, analysis)) refuse(item, 'write-forbidden');
      else {
        void document.writer.write(carrier, analysis, 'edit');
        answer(item, true);
      }
      return true;
    }
    if (now < item.takenAt || isHere(document, analysis)) return false;
    return this.take(item, analysis, authors).catch((error: unknown) => carrier.failed(error));
  }

  /** What depends on carried edits was not complete when it came: whose it is was not asked then. */
  private async ask(item: CarriedItem, clients: readonly number[]): Promise<void> {
    this.asking.add(item);
    try {
      await this.ports.authorship.claim(item.carrier, clients);
    } catch (error) {
      item.carrier.failed(error);
    } finally {
      this.asking.delete(item);
    }
  }

  private analyze({ carrier, update }: CarriedItem): UpdateAnalysis | undefined {
    const { principal, document } = carrier;
    return this.ports.walks.analyze({ principal, document: document.document, update });
  }

  /** The grace is over: taken from the carrier if both the carrier and every author may write it. */
  private async take(
    item: CarriedItem,
    before: UpdateAnalysis,
    everybody: ReadonlySet<string | undefined>,
  ): Promise<void> {
    const { carrier } = item;
    const { document } = carrier;
    const { tenant, user: actor } = carrier.principal;
    const authors = [...everybody].filter((user) => user !== undefined);
    const roles = await Promise.all(authors.map((user) => this.roleOf(user, carrier)));
    if (this.ports.access.hasEnded(carrier.access)) await this.ports.access.untilKnown(carrier);
    if (!carrier.isOpen || document.discarded) return;
    const allowed = [carrier.access.role, ...roles].every((role) => mayWrite(role, before));
    this.ports.audit.record({
      tenant,
      action: allowed ? 'update.carried' : 'update.carried-refused',
      actor,
      document: nameOf(document.key),
      session: carrier.id,
      detail: { authors },
    });
    if (!allowed) return refuse(item, 'client-id-taken');
    // The author may have come back while the permissions were read.
    const analysis = this.analyze(item);
    if (!analysis) throw new WeftError('update-costly');
    if (this.isContradicted(item, analysis)) return;
    if (!analysis.noop) {
      this.ports.clocks.note(document, analysis.authors);
      void document.writer.write(carrier, analysis, 'carried');
    }
    answer(item, true);
  }

  /** What an author may now who is not here to show a token: what the newest one said counts until it ends. */
  private async roleOf(user: string, { principal: { tenant }, key }: Session) {
    const { bindings, access } = this.ports;
    const claims = await bindings.claims.of(key, user);
    return (await access.resolve(absent(tenant, user, claims), key)).role;
  }

  /** Whether the author, or another carrier, has brought other content than the item: its carrier has to rebuild. */
  private isContradicted(item: CarriedItem, { update }: UpdateAnalysis): boolean {
    // Nothing of it is known.
    if (update === item.update) return false;
    const { equivocation } = this.ports;
    const range = equivocation.find(item.carrier, item.update);
    if (!range) return false;
    answer(item, false);
    equivocation.end(item.carrier, range);
    return true;
  }
}

function answer({ carrier, owed }: CarriedItem, saved: boolean): void {
  const { document } = carrier;
  owed.decide(document.progress.lastTicket, saved);
  document.answers.settle(carrier);
}

/** The carrier's copy has what nobody else is going to have. */
function refuse(item: CarriedItem, code: ErrorCode): void {
  const { carrier } = item;
  answer(item, false);
  carrier.sendNow(refusedBody(code, { repaired: false }));
  carrier.end('document-rebuild');
}

/**
 * Whether a session of one of these very Yjs clients is open, on whichever instance; the same person in a new tab can't
 * bring what it has. Nor can who shows another presence and only owns it for having brought a copy, as anybody may to a
 * document that was made again.
 */
function isHere({ sessions, awareness, document }: LiveDocument, { authors }: UpdateAnalysis): boolean {
  if (authors.some(({ client }) => document.awareness.states.has(client))) return true;
  for (const session of sessions) {
    const shown = awareness.clientsOf(session);
    const present = shown.length > 0 ? shown : [...session.clients];
    if (authors.some(({ client }) => present.includes(client))) return true;
  }
  return false;
}

const NO_CLAIMS: Claims = { groups: [], grants: {}, expiresAt: Number.MAX_SAFE_INTEGER };

function absent(tenant: string, user: string, claims: Claims = NO_CLAIMS): Principal {
  return { tenant, user, name: undefined, color: undefined, scopes: [], ...claims, tokenId: undefined };
}
