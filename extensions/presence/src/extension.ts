import type {
  beforeHandleAwarenessPayload,
  connectedPayload,
  Connection,
  Document,
  Extension,
  onConfigurePayload,
} from '@hocuspocus/server';
import { documentKey, nameOf, steadyClock, tenantOf, type Principal, type Unsubscribe } from '@weft/common';
import { removeAwarenessStates } from 'y-protocols/awareness';
import { stampedUser } from './identity.ts';
import { MemoryPresence } from './memory-presence.ts';
import type { PresenceRegistry } from './registry.ts';

export interface PresenceExtensionOptions {
  /** Where people are entered. Default: the memory of this process. */
  readonly registry?: PresenceRegistry;
  /** Who somebody is, from the connection's context. Default: `context.principal`. */
  readonly principalOf?: (context: unknown) => Principal | undefined;
  /** All documents belong to it. */
  readonly tenant?: string;
}

/** Client ids of one connection; stock clients have one. */
const CLIENTS_PER_CONNECTION = 4;
/** Client ids of one document whose owner is remembered. */
const OWNERS_PER_DOCUMENT = 10_000;

/** The other instances know. Backplanes do not publish what comes from Redis. */
const TOLD = { source: 'redis' } as const;

/** A connection's part in a document. */
interface Presence {
  readonly id: string;
  readonly since: number;
  readonly clients: Set<number>;
}

/**
 * Presence of a stock Hocuspocus that tells the truth: the server says who somebody is, nobody speaks for another's
 * client id, and who is here is entered in a registry.
 *
 * A hook sees neither clocks nor removals of Hocuspocus' awareness, so what depends on them is only in the
 * gateway of the Weft server: a client can still give its own id a clock that hides it from others.
 */
export class PresenceExtension implements Extension {
  readonly extensionName = 'weft-presence';
  readonly registry: PresenceRegistry;
  private readonly principalOf: (context: unknown) => Principal | undefined;
  private readonly tenant: string;
  private readonly presences = new WeakMap<Connection, Presence>();
  /** Whose a client id is, by document. */
  private readonly owners = new WeakMap<Document, Map<number, string>>();
  private unsubscribe: Unsubscribe | undefined;

  constructor(options: PresenceExtensionOptions = {}) {
    const { registry = new MemoryPresence({ instance: 'hocuspocus' }), tenant = 'default' } = options;
    this.registry = registry;
    this.tenant = tenant;
    this.principalOf = options.principalOf ?? principalOfContext;
  }

  async onConfigure({ instance }: onConfigurePayload): Promise<void> {
    this.unsubscribe = this.registry.subscribe({
      clientsGone: (key, clients, reapedBy) => {
        const document = tenantOf(key) === this.tenant ? instance.documents.get(nameOf(key)) : undefined;
        const origin = reapedBy === 'us' ? null : TOLD;
        if (document) removeAwarenessStates(document.awareness, absent(document, clients), origin);
      },
    });
    await this.registry.start();
  }

  async connected({ connection, documentName, context }: connectedPayload): Promise<void> {
    const id = `${connection.socketId}/${connection.messageAddress}`;
    this.presences.set(connection, { id, since: steadyClock.now(), clients: new Set() });
    this.announce(connection, documentName, context);
    // There is no hook that knows which of a socket's document connections ended.
    connection.onClose((_document, event) => {
      this.presences.delete(connection);
      if (event?.code === 1000) this.registry.leave(id);
      else this.registry.lose(id);
    });
  }

  async beforeHandleAwareness(payload: beforeHandleAwarenessPayload): Promise<void> {
    const { connection, document, documentName, states } = payload;
    const context: unknown = payload.context;
    if (!connection) return;
    const principal = this.principalOf(context);
    const presence = this.presences.get(connection);
    if (!principal || !presence) return states.clear();
    const known = presence.clients.size;
    for (const [client, state] of states) {
      // Hocuspocus reads a frame with an Awareness of its own, whose random client id is in the map, empty.
      const empty = Object.keys(state).length === 0;
      if (empty || !this.mayShow(document, client, principal) || !takes(presence, client)) {
        states.delete(client);
      } else state['user'] = stampedUser(principal);
    }
    if (presence.clients.size > known) this.announce(connection, documentName, context);
  }

  async onDestroy(): Promise<void> {
    this.unsubscribe?.();
    await this.registry.stop();
  }

  private mayShow(document: Document, client: number, principal: Principal): boolean {
    const owners = this.owners.get(document) ?? new Map<number, string>();
    this.owners.set(document, owners);
    const owner = owners.get(client) ?? shownUser(document, client) ?? principal.user;
    owners.set(client, owner);
    const [oldest] = owners.keys();
    if (owners.size > OWNERS_PER_DOCUMENT && oldest !== undefined) owners.delete(oldest);
    return owner === principal.user;
  }

  private announce(connection: Connection, documentName: string, context: unknown): void {
    const principal = this.principalOf(context);
    const presence = this.presences.get(connection);
    if (!principal || !presence) return;
    this.registry.announce({
      document: documentKey(this.tenant, documentName),
      connection: presence.id,
      person: stampedUser(principal),
      device: undefined,
      clientIds: [...presence.clients],
      since: presence.since,
    });
  }
}

function takes({ clients }: Presence, client: number): boolean {
  if (!clients.has(client) && clients.size >= CLIENTS_PER_CONNECTION) return false;
  clients.add(client);
  return true;
}

/** Those of `clients` that no connection of this instance shows. */
function absent(document: Document, clients: readonly number[]): number[] {
  const here = new Set(
    [...document.connections.values()].flatMap(({ clients: shown }) => [...(shown as Set<number>)]),
  );
  return clients.filter((client) => !here.has(client));
}

/** Another instance's people are shown here with the identity that it has stamped. */
function shownUser(document: Document, client: number): string | undefined {
  const user = (document.awareness.states.get(client) as { user?: { id?: unknown } } | undefined)?.user;
  return typeof user?.id === 'string' ? user.id : undefined;
}

function principalOfContext(context: unknown): Principal | undefined {
  return (context as { principal?: Principal } | undefined)?.principal;
}
