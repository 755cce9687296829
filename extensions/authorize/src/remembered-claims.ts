import { type DocumentKey, matchesPattern, nameOf, type Principal, tenantOf } from '@weft/common';
import type { Pool } from 'pg';
import { keyColumns, type Queryable, unavailableOnFailure } from './postgres.ts';

/** What a token says that matters for one document. */
export type Claims = Pick<Principal, 'groups' | 'grants' | 'expiresAt'>;

export interface ToRemember {
  readonly key: DocumentKey;
  readonly person: string;
  readonly claims: Claims;
}

/** The latest that a JavaScript date can be. */
const LATEST = 8.64e15;
const MAX_WAITING = 1_000;

/** Of a person's claims those that can give rights on a document. */
export function claimsFor({ groups, grants, expiresAt }: Principal, key: DocumentKey): Claims {
  const reaching = Object.entries(grants).filter(([pattern]) => matchesPattern(pattern, nameOf(key)));
  return { groups, grants: Object.fromEntries(reaching), expiresAt };
}

/**
 * What the newest token said of each person who writes in a document, until that token ends. Grants in Postgres, and
 * what the integrator's endpoint says, are always asked for anew; a token can only be shown by who has it.
 */
export class RememberedClaims {
  private readonly pool: Pool;
  private readonly waiting = new Map<string, ToRemember>();
  private writing = false;

  constructor({ pool }: { readonly pool: Pool }) {
    this.pool = pool;
  }

  /**
   * The same without waiting, together with others. Should the database not take it, the absent person counts for
   * less than they might.
   */
  rememberSoon(entry: ToRemember): void {
    if (this.waiting.size >= MAX_WAITING) return;
    this.waiting.set(`${entry.key}\0${entry.person}`, entry);
    if (!this.writing) void this.write();
  }

  private async write(): Promise<void> {
    this.writing = true;
    while (this.waiting.size > 0) {
      const batch = [...this.waiting.values()];
      this.waiting.clear();
      await this.remember(batch).catch(() => undefined);
    }
    this.writing = false;
  }

  /** In the place of what an older token said, also when this one says nothing. The last of several counts. */
  async remember(entries: readonly ToRemember[]): Promise<void> {
    if (entries.length === 0) return;
    const { tenants, names } = keyColumns(entries.map(({ key }) => key));
    await unavailableOnFailure(() =>
      this.pool.query(
        `WITH told AS (
           SELECT DISTINCT ON (tenant, document, person) tenant, document, person, claims, ends
           FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::float8[])
             WITH ORDINALITY AS t (tenant, document, person, claims, ends, position)
           ORDER BY tenant, document, person, position DESC
         ), gone AS (
           DELETE FROM remembered_claims r USING told
           WHERE (r.tenant, r.document, r.person) = (told.tenant, told.document, told.person)
             AND told.claims IS NULL
         )
         INSERT INTO remembered_claims (tenant, document, person, claims, expires_at)
         SELECT tenant, document, person, claims::jsonb, to_timestamp(ends / 1000) FROM told
         WHERE claims IS NOT NULL ORDER BY tenant, document, person
         ON CONFLICT (tenant, document, person) DO UPDATE
         SET claims = excluded.claims, expires_at = excluded.expires_at`,
        [
          tenants,
          names,
          entries.map(({ person }) => person),
          entries.map(({ claims }) => textOf(claims)),
          entries.map(({ claims }) => Math.min(claims.expiresAt, LATEST)),
        ],
      ),
    );
  }

  /** `undefined`: nothing is known, or the token has ended. */
  async of(key: DocumentKey, person: string): Promise<Claims | undefined> {
    const { rows } = await unavailableOnFailure(() =>
      this.pool.query<{ claims: Omit<Claims, 'expiresAt'>; expires_at: Date }>(
        `SELECT claims, expires_at FROM remembered_claims
         WHERE tenant = $1 AND document = $2 AND person = $3 AND expires_at > now()`,
        [tenantOf(key), nameOf(key), person],
      ),
    );
    const [row] = rows;
    return row && { ...row.claims, expiresAt: row.expires_at.getTime() };
  }

  /**
   * Removes what ended tokens said, of any document. Fewer than `limit`: there is no more, or another process is
   * removing it.
   *
   * @returns how many rows are gone
   */
  async removeEnded(limit: number): Promise<number> {
    const { rows } = await this.pool.query<{ removed: string }>(
      `WITH ended AS (
         SELECT tenant, document, person FROM remembered_claims WHERE expires_at < now()
         ORDER BY expires_at LIMIT $1 FOR UPDATE SKIP LOCKED
       ), gone AS (
         DELETE FROM remembered_claims r USING ended
         WHERE (r.tenant, r.document, r.person) = (ended.tenant, ended.document, ended.person) RETURNING 1
       )
       SELECT count(*) AS removed FROM gone`,
      [limit],
    );
    return Number(rows[0]?.removed ?? 0);
  }

  /** For a document that is being deleted. */
  async removeAll(key: DocumentKey, tx: Queryable = this.pool): Promise<void> {
    await tx.query('DELETE FROM remembered_claims WHERE tenant = $1 AND document = $2', [
      tenantOf(key),
      nameOf(key),
    ]);
  }
}

/** `null`: nothing in it gives anybody any right. */
function textOf({ groups, grants }: Claims): string | null {
  if (groups.length === 0 && Object.keys(grants).length === 0) return null;
  return JSON.stringify({ groups, grants });
}
