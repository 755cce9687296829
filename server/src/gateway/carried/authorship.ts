import { claimsFor, type ClientBindings } from '@weft/authorize';
import type { Clock, UpdateAnalysis } from '@weft/common';
import type { LiveDocument } from '../document/live-document.ts';
import type { Session } from '../session/session.ts';

/** Milliseconds after a database was put back in which whoever was there before comes back. */
const FORGOTTEN_FOR = 600_000;

export interface AuthorshipPorts {
  readonly wallClock: Clock;
  readonly bindings: Pick<ClientBindings, 'ownerOf' | 'bindAll'>;
}

/** Whose edits somebody brings: their own, or other people's. */
export class Authorship {
  private readonly ports: AuthorshipPorts;

  constructor(ports: AuthorshipPorts) {
    this.ports = ports;
  }

  /**
   * Whether what somebody brings may be of people whose Yjs clients were known before the database was put back. Who
   * is here shows their own first; what is taken for the carrier's else would be theirs for good.
   */
  mayHoldForgotten({ log: { renewed, epoch } }: LiveDocument): boolean {
    return renewed && this.ports.wallClock.now() - epoch < FORGOTTEN_FOR;
  }

  isOwn(session: Session, client: number): boolean {
    const owner = this.ports.bindings.ownerOf(session.key, client);
    return owner === undefined ? !this.mayHoldForgotten(session.document) : owner === session.principal.user;
  }

  /** Yjs clients that nobody here has heard of: whose they are, the database may know. */
  unknownClients({ key, document }: Session, { authors }: UpdateAnalysis): number[] {
    if (this.mayHoldForgotten(document)) return [];
    return authors
      .map(({ client }) => client)
      .filter((client) => this.ports.bindings.ownerOf(key, client) === undefined);
  }

  /** Makes those Yjs clients the session's that are nobody else's. */
  async claim(session: Session, clients: readonly number[]): Promise<void> {
    const { key, principal } = session;
    const claims = claimsFor(principal, key);
    const outcomes = await this.ports.bindings.bindAll(key, clients, principal.user, { claims });
    clients.forEach((client, i) => {
      if (outcomes[i] === 'own') session.speaksFor(client);
    });
  }

  /** The others whose edits a carrier brings. `undefined` is somebody whom the database has forgotten. */
  foreignAuthors(carrier: Session, analysis: UpdateAnalysis): Set<string | undefined> {
    const people = new Set<string | undefined>();
    for (const { client } of analysis.authors) {
      const owner = this.ports.bindings.ownerOf(carrier.key, client);
      if (!this.isOwn(carrier, client)) people.add(owner);
    }
    return people;
  }
}
