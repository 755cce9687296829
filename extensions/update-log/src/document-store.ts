import { sqlState, WeftError, documentKey, nameOf, tenantOf, type DocumentKey } from '@weft/common';
import type { DocumentMode, Queryable } from './types.ts';

const UNIQUE_VIOLATION = '23505';
const MAX_PAGE = 1_000;

export interface DocumentRow {
  readonly id: number;
  readonly key: DocumentKey;
  readonly name: string;
  readonly title: string | undefined;
  readonly mode: DocumentMode;
  readonly epoch: number;
  readonly head: number;
  readonly policyRev: number;
  readonly createdBy: string;
  readonly createdAt: Date;
  readonly updatedAt: Date;
  /** Of all updates ever appended. */
  readonly bytes: number;
}

export interface CreateDocument {
  readonly key: DocumentKey;
  readonly createdBy: string;
  readonly title?: string | undefined;
  readonly mode?: DocumentMode | undefined;
}

export interface ListDocuments {
  readonly limit?: number | undefined;
  /** The last name of the page before. */
  readonly after?: string | undefined;
  /** Only documents of these names or prefixes; `undefined`: all of the tenant. */
  readonly visible?: { readonly names: readonly string[]; readonly prefixes: readonly string[] } | undefined;
}

interface Row {
  readonly id: string;
  readonly tenant: string;
  readonly name: string;
  readonly title: string | null;
  readonly mode: DocumentMode;
  readonly epoch: string;
  readonly head: string;
  readonly policy_rev: string;
  readonly created_by: string;
  readonly created_at: Date;
  readonly updated_at: Date;
  readonly bytes: string;
}

const COLUMNS =
  'id, tenant, name, title, mode, epoch, head, policy_rev, created_by, created_at, updated_at, bytes';

/** The documents there are. Each method takes what runs its query, so that callers can join it with their own. */
export class DocumentStore {
  /**
   * Its permission revision begins with the time, so that it is none that an earlier document of the name had: what
   * somebody remembers of that one's permissions is not of this one.
   *
   * @throws WeftError `document-exists` (inside a transaction: that transaction has failed then)
   */
  async create(db: Queryable, { key, createdBy, title, mode }: CreateDocument): Promise<DocumentRow> {
    try {
      const { rows } = await db.query<Row>(
        `INSERT INTO documents (tenant, name, created_by, title, mode, policy_rev)
         VALUES ($1, $2, $3, $4, coalesce($5, 'live'), (extract(epoch FROM clock_timestamp()) * 1000)::bigint)
         RETURNING ${COLUMNS}`,
        [tenantOf(key), nameOf(key), createdBy, title ?? null, mode ?? null],
      );
      return only(rows);
    } catch (error) {
      if (sqlState(error) === UNIQUE_VIOLATION) throw new WeftError('document-exists', { cause: error });
      throw error;
    }
  }

  async get(db: Queryable, key: DocumentKey): Promise<DocumentRow | undefined> {
    const { rows } = await db.query<Row>(`SELECT ${COLUMNS} FROM documents WHERE tenant = $1 AND name = $2`, [
      tenantOf(key),
      nameOf(key),
    ]);
    return rows[0] && toDocument(rows[0]);
  }

  /** In the order of their names (by their bytes). */
  async list(
    db: Queryable,
    tenant: string,
    { limit = 100, after, visible }: ListDocuments = {},
  ): Promise<DocumentRow[]> {
    const { rows } = await db.query<Row>(
      `SELECT ${COLUMNS} FROM documents
       WHERE tenant = $1 AND ($2::text IS NULL OR name > $2)
         AND ($3::text[] IS NULL OR name = ANY ($3) OR EXISTS (
           SELECT FROM unnest($4::text[]) AS prefix WHERE starts_with(name, prefix)))
       ORDER BY name LIMIT $5`,
      [tenant, after ?? null, visible?.names ?? null, visible?.prefixes ?? [], Math.min(limit, MAX_PAGE)],
    );
    return rows.map(toDocument);
  }

  /** @throws WeftError `document-not-found` */
  async update(
    db: Queryable,
    key: DocumentKey,
    { title, mode }: { readonly title?: string | null | undefined; readonly mode?: DocumentMode | undefined },
  ): Promise<DocumentRow> {
    const { rows } = await db.query<Row>(
      `UPDATE documents SET title = CASE WHEN $3 THEN $4 ELSE title END, mode = coalesce($5, mode)
       WHERE tenant = $1 AND name = $2 RETURNING ${COLUMNS}`,
      [tenantOf(key), nameOf(key), title !== undefined, title ?? null, mode ?? null],
    );
    return only(rows);
  }

  /**
   * The document is gone at once, and its name free; its rows go in the background (see Compactor).
   * @throws WeftError `document-not-found`
   */
  async delete(db: Queryable, key: DocumentKey): Promise<void> {
    const { rowCount } = await db.query(
      `WITH gone AS (DELETE FROM documents WHERE tenant = $1 AND name = $2 RETURNING id)
       INSERT INTO document_removals (document_id) SELECT id FROM gone`,
      [tenantOf(key), nameOf(key)],
    );
    if (rowCount === 0) throw new WeftError('document-not-found');
  }
}

function only(rows: readonly Row[]): DocumentRow {
  if (!rows[0]) throw new WeftError('document-not-found');
  return toDocument(rows[0]);
}

function toDocument(row: Row): DocumentRow {
  return {
    id: Number(row.id),
    key: documentKey(row.tenant, row.name),
    name: row.name,
    title: row.title ?? undefined,
    mode: row.mode,
    epoch: Number(row.epoch),
    head: Number(row.head),
    policyRev: Number(row.policy_rev),
    createdBy: row.created_by,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
    bytes: Number(row.bytes),
  };
}
