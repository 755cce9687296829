import { type DocumentKey, nameOf, tenantOf, WeftError } from '@weft/common';
import type { Pool } from 'pg';
import { keyColumns, type Queryable, unavailableOnFailure } from './postgres.ts';
import { type Claims, RememberedClaims } from './remembered-claims.ts';

export interface ClientBindingsOptions {
  readonly pool: Pool;
  /** Bindings kept in memory per document; the oldest go first and are read again when needed. */
  readonly maxCached?: number;
  /** Bindings that wait to be written, over all documents. */
  readonly maxPending?: number;
  /**
   * Whether a person may have so many more ids in a document now. Each stays in the document for ever, and in every
   * state vector that is exchanged for it. Without it: any number.
   */
  readonly admit?: (key: DocumentKey, person: string, count: number) => boolean;
}

export interface BindOptions {
  /** What the person's token says: remembered with the binding, for when the person is not there to show it. */
  readonly claims?: Claims;
}

interface Pending {
  readonly key: DocumentKey;
  readonly clientId: number;
  readonly person: string;
  readonly claims: Claims | undefined;
  readonly resolve: (owner: string) => void;
  readonly reject: (error: unknown) => void;
}

const MAX_BATCH = 1_000;

export type Binding = 'own' | 'taken';

/**
 * Which person a Yjs client id belongs to in a document. First writer wins, on whatever instance, for the life
 * of the document. Decisions of the hot path are answered by {@link ownerOf}, a Map lookup.
 */
export class ClientBindings {
  readonly claims: RememberedClaims;
  private readonly pool: Pool;
  private readonly maxCached: number;
  private readonly maxPending: number;
  private readonly admit: NonNullable<ClientBindingsOptions['admit']>;
  private readonly documents = new Map<DocumentKey, Map<number, string>>();
  private pending: Pending[] = [];
  private writing = false;

  constructor({ pool, maxCached = 10_000, maxPending = 10_000, admit = () => true }: ClientBindingsOptions) {
    this.pool = pool;
    this.claims = new RememberedClaims({ pool });
    this.maxCached = maxCached;
    this.maxPending = maxPending;
    this.admit = admit;
  }

  /** Reads the latest bindings of a document that is being opened. Until {@link unload}, they are kept. */
  async load(key: DocumentKey): Promise<void> {
    const { rows } = await unavailableOnFailure(() =>
      this.pool.query<{ client_id: string; person: string }>(
        `SELECT client_id, person FROM client_bindings WHERE tenant = $1 AND document = $2
         ORDER BY bound_at DESC LIMIT $3`,
        [tenantOf(key), nameOf(key), this.maxCached],
      ),
    );
    const known = this.documents.get(key) ?? new Map<number, string>();
    this.documents.set(key, known);
    for (const row of rows.reverse()) this.remember(key, Number(row.client_id), row.person);
  }

  /** What still waits to be bound is not: nobody has the document open, which may have been deleted. */
  unload(key: DocumentKey): void {
    this.documents.delete(key);
    const left = this.pending.filter((waiting) => waiting.key === key);
    if (left.length === 0) return;
    this.pending = this.pending.filter((waiting) => waiting.key !== key);
    for (const { reject } of left) reject(new WeftError('document-reload'));
  }

  /** What this instance knows without asking; `undefined` is "not known here", not "nobody". */
  ownerOf(key: DocumentKey, clientId: number): string | undefined {
    return this.documents.get(key)?.get(clientId);
  }

  /** The owners of these ids as far as they have any, asking the database for what is not known here. */
  async owners(key: DocumentKey, clientIds: readonly number[]): Promise<ReadonlyMap<number, string>> {
    const unknown = clientIds.filter((id) => this.ownerOf(key, id) === undefined);
    if (unknown.length > 0) {
      for (const { clientId, person } of await this.read(unknown.map((id) => ({ key, clientId: id })))) {
        this.remember(key, clientId, person);
      }
    }
    return new Map(
      clientIds.flatMap((id) => {
        const person = this.ownerOf(key, id);
        return person === undefined ? [] : [[id, person] as const];
      }),
    );
  }

  /** {@link bindAll} for one id. */
  async bind(key: DocumentKey, clientId: number, person: string): Promise<Binding> {
    const [outcome] = await this.bindAll(key, [clientId], person);
    return outcome ?? 'taken';
  }

  /**
   * Binds each id to the person unless it is somebody else's already; answers for each, in order.
   *
   * @throws WeftError `permissions-unavailable` with the database away, `server-overloaded` when too many wait,
   *   `too-many-client-ids` when the person has had too many new ones here
   */
  async bindAll(
    key: DocumentKey,
    clientIds: readonly number[],
    person: string,
    { claims }: BindOptions = {},
  ): Promise<Binding[]> {
    const unknown = clientIds.filter((id) => this.ownerOf(key, id) === undefined).length;
    if (unknown > 0 && !this.admit(key, person, unknown)) throw new WeftError('too-many-client-ids');
    const owners = await Promise.all(
      clientIds.map(async (id) => this.ownerOf(key, id) ?? this.claim({ key, clientId: id, person, claims })),
    );
    return owners.map((owner) => (owner === person ? 'own' : 'taken'));
  }

  /** For a document that is being deleted. */
  async removeAll(key: DocumentKey, tx: Queryable = this.pool): Promise<void> {
    await tx.query('DELETE FROM client_bindings WHERE tenant = $1 AND document = $2', [
      tenantOf(key),
      nameOf(key),
    ]);
    await this.claims.removeAll(key, tx);
    this.documents.delete(key);
  }

  private async claim(binding: Omit<Pending, 'resolve' | 'reject'>): Promise<string> {
    if (this.pending.length >= this.maxPending) throw new WeftError('server-overloaded');
    return new Promise((resolve, reject) => {
      this.pending.push({ ...binding, resolve, reject });
      if (!this.writing) void this.write();
    });
  }

  /** One statement in flight; what arrives meanwhile is the next batch. */
  private async write(): Promise<void> {
    this.writing = true;
    while (this.pending.length > 0) {
      const batch = this.pending.splice(0, MAX_BATCH);
      try {
        await this.settle(batch);
      } catch (error) {
        for (const { reject } of batch) reject(error);
      }
    }
    this.writing = false;
  }

  private async settle(batch: readonly Pending[]): Promise<void> {
    await this.insert(batch);
    await this.claims.remember(
      batch.flatMap(({ key, person, claims }) => (claims ? [{ key, person, claims }] : [])),
    );
    // A statement of its own: the snapshot of the insert does not show rows that it had to wait for.
    const owners = new Map<string, string>();
    for (const { key, clientId, person } of await this.read(batch)) {
      owners.set(`${clientId}/${key}`, person);
      this.remember(key, clientId, person);
    }
    for (const { key, clientId, resolve, reject } of batch) {
      const owner = owners.get(`${clientId}/${key}`);
      if (owner === undefined) reject(new WeftError('document-deleted'));
      else resolve(owner);
    }
  }

  /** In sorted order, so that two instances with the same ids never wait for each other in a circle. */
  private async insert(batch: readonly Pending[]): Promise<void> {
    const { tenants, names } = keyColumns(batch.map(({ key }) => key));
    await unavailableOnFailure(() =>
      this.pool.query(
        `INSERT INTO client_bindings (tenant, document, client_id, person)
         SELECT tenant, document, client_id, person
         FROM unnest($1::text[], $2::text[], $3::bigint[], $4::text[])
           WITH ORDINALITY AS b (tenant, document, client_id, person, position)
         ORDER BY tenant, document, client_id, position
         ON CONFLICT DO NOTHING`,
        [tenants, names, batch.map(({ clientId }) => clientId), batch.map(({ person }) => person)],
      ),
    );
  }

  private async read(
    wanted: readonly { readonly key: DocumentKey; readonly clientId: number }[],
  ): Promise<{ key: DocumentKey; clientId: number; person: string }[]> {
    const { tenants, names } = keyColumns(wanted.map(({ key }) => key));
    const { rows } = await unavailableOnFailure(() =>
      this.pool.query<{ position: string; person: string }>(
        `SELECT w.position, b.person
         FROM unnest($1::text[], $2::text[], $3::bigint[])
           WITH ORDINALITY AS w (tenant, document, client_id, position)
         JOIN client_bindings b USING (tenant, document, client_id)`,
        [tenants, names, wanted.map(({ clientId }) => clientId)],
      ),
    );
    return rows.flatMap(({ position, person }) => {
      const asked = wanted[Number(position) - 1];
      return asked ? [{ key: asked.key, clientId: asked.clientId, person }] : [];
    });
  }

  private remember(key: DocumentKey, clientId: number, person: string): void {
    const known = this.documents.get(key);
    if (!known) return;
    known.delete(clientId);
    known.set(clientId, person);
    if (known.size <= this.maxCached) return;
    const [oldest] = known.keys();
    if (oldest !== undefined) known.delete(oldest);
  }
}
