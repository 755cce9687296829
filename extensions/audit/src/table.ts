import type { QueryResultRow } from 'pg';
import { type Recorded, storable } from './entry.ts';

/** A pool, or a client inside a transaction of the caller's. */
export interface Queryable {
  query<Row extends QueryResultRow>(text: string, values?: unknown[]): Promise<{ rows: Row[] }>;
}

export interface AuditRow {
  /** Grows in the order of commits: the cursor of {@link list}. */
  readonly id: number;
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly action: string;
  readonly actor: string | undefined;
  readonly document: string | undefined;
  readonly session: string | undefined;
  readonly code: string | undefined;
  /** How often it happened within a second. */
  readonly count: number;
  readonly detail: unknown;
}

export interface AuditQuery {
  readonly tenant: string;
  /** The `id` of the last row that was read; 0 for the oldest kept. */
  readonly after?: number;
  /** At most 1,000. */
  readonly limit?: number;
  readonly document?: string | undefined;
  readonly actor?: string | undefined;
  readonly action?: string | undefined;
}

export interface AuditPage {
  readonly rows: readonly AuditRow[];
  /** `after` of the next page; the same as given when there was nothing new. */
  readonly next: number;
}

export async function insert(db: Queryable, entries: readonly Recorded[]): Promise<void> {
  await db.query(
    `INSERT INTO audit (entry, tenant, at, action, actor, document, session, code, count, detail)
     SELECT * FROM unnest($1::uuid[], $2::text[], $3::timestamptz[], $4::text[], $5::text[], $6::text[],
       $7::text[], $8::text[], $9::int[], $10::json[])
     ON CONFLICT (entry) DO NOTHING`,
    [
      entries.map(({ id }) => id),
      entries.map(({ entry }) => storable(entry.tenant)),
      entries.map(({ at }) => new Date(at)),
      entries.map(({ entry }) => storable(entry.action)),
      entries.map(({ entry }) => storable(entry.actor)),
      entries.map(({ entry }) => storable(entry.document)),
      entries.map(({ entry }) => storable(entry.session)),
      entries.map(({ entry }) => storable(entry.code)),
      entries.map(({ count }) => count),
      entries.map(({ detail }) => detail),
    ],
  );
}

type DatabaseRow = {
  id: string;
  at: Date;
  action: string;
  actor: string | null;
  document: string | null;
  session: string | null;
  code: string | null;
  count: number;
  detail: unknown;
};

const MAX_PAGE = 1_000;

export async function list(db: Queryable, query: AuditQuery): Promise<AuditPage> {
  const { tenant, after = 0, limit = 100, document, actor, action } = query;
  const values: unknown[] = [tenant, after, Math.min(Math.max(limit, 1), MAX_PAGE)];
  const filters = Object.entries({ document, actor, action }).flatMap(([column, value]) =>
    value === undefined ? [] : [` AND ${column} = $${values.push(value)}`],
  );
  const { rows } = await db.query<DatabaseRow>(
    `SELECT id, at, action, actor, document, session, code, count, detail FROM audit
     WHERE tenant = $1 AND id > $2${filters.join('')} ORDER BY id LIMIT $3`,
    values,
  );
  const read = rows.map(auditRow);
  return { rows: read, next: read.at(-1)?.id ?? after };
}

function auditRow(row: DatabaseRow): AuditRow {
  return {
    id: Number(row.id),
    at: row.at.getTime(),
    action: row.action,
    actor: row.actor ?? undefined,
    document: row.document ?? undefined,
    session: row.session ?? undefined,
    code: row.code ?? undefined,
    count: row.count,
    detail: row.detail ?? undefined,
  };
}
