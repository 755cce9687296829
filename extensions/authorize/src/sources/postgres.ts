import { type DocumentKey, nameOf, type Notifications, type Principal, tenantOf } from '@weft/common';
import type { Pool } from 'pg';
import { parseChange, patternsReaching, type PolicyChange } from '../pattern.ts';
import { keyColumns, type RoleRow, roleOf, unavailableOnFailure } from '../postgres.ts';
import type { Role, RoleTable } from '../role.ts';
import type { Given, GrantSource, Resolution, StopWatching, Visible } from '../source.ts';
import { listedSubjects, openingSubjects } from '../subject.ts';

const CHANNEL = 'weft_policy';
/** Rows of one answer: what a list of documents is made of, never a decision. */
const MAX_VISIBLE = 10_000;

export interface PostgresGrantSourceOptions {
  readonly pool: Pool;
  readonly roles: RoleTable;
  /** Without it, changes are found by the poll of revisions alone. */
  readonly notifications?: Notifications;
}

interface MatchRow extends Omit<RoleRow, 'name'> {
  readonly rev: string;
  readonly role: string | null;
  readonly name: string | null;
  readonly expires_at: Date | null;
}

/**
 * Revision, grants and roles in one statement, so of one snapshot: a revision newer than the others would let a
 * revoked person's update through the barrier. (`weft_policy_revision` is STABLE, and so sees the
 * statement's snapshot.)
 */
const RESOLVE = `
  SELECT rev.rev, found.*
  FROM (SELECT coalesce(weft_policy_revision($1, $2), 0) AS rev) rev
  LEFT JOIN (
    SELECT g.role, g.expires_at, r.name, r.can_read, r.presence, r.writable, r.manage
    FROM grants g LEFT JOIN roles r ON r.tenant = g.tenant AND r.name = g.role
    WHERE g.tenant = $1 AND g.pattern = ANY($3::text[]) AND g.subject = ANY($4::text[])
      AND (g.expires_at IS NULL OR g.expires_at > now())
    UNION ALL
    -- Without a grant: what others' names of roles mean.
    SELECT NULL, NULL, r.name, r.can_read, r.presence, r.writable, r.manage
    FROM roles r WHERE r.tenant = $1 AND r.name = ANY($5::text[])
  ) found ON true`;

const VISIBLE = `
  SELECT g.pattern, g.role, r.name, r.can_read, r.presence, r.writable, r.manage
  FROM grants g LEFT JOIN roles r ON r.tenant = g.tenant AND r.name = g.role
  WHERE g.tenant = $1 AND g.subject = ANY($2::text[]) AND (g.expires_at IS NULL OR g.expires_at > now())
  ORDER BY g.pattern LIMIT ${MAX_VISIBLE}`;

const REVISIONS = `
  SELECT coalesce(weft_policy_revision(k.tenant, k.name), 0) AS rev
  FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS k (tenant, name, position) ORDER BY k.position`;

/** The grants that people give each other, in the log's own database. */
export class PostgresGrantSource implements GrantSource {
  private readonly pool: Pool;
  private readonly roles: RoleTable;
  private readonly notifications: Notifications | undefined;

  constructor({ pool, roles, notifications }: PostgresGrantSourceOptions) {
    this.pool = pool;
    this.roles = roles;
    this.notifications = notifications;
  }

  async resolve(principal: Principal, key: DocumentKey, { names = [] }: Given = {}): Promise<Resolution> {
    const name = nameOf(key);
    const { rows } = await unavailableOnFailure(() =>
      this.pool.query<MatchRow>({
        name: 'weft_resolve_access',
        text: RESOLVE,
        values: [tenantOf(key), name, patternsReaching(name), openingSubjects(principal), names],
      }),
    );
    const ends = rows.flatMap(({ expires_at: at }) => (at ? [at.getTime()] : []));
    return {
      roles: this.rolesOf(rows),
      policyRev: Number(rows[0]?.rev ?? 0),
      own: new Map(rows.flatMap((row) => (row.role === null ? definitionsIn(row) : []))),
      ...(ends.length > 0 && { expiresAt: Math.min(...ends) }),
    };
  }

  async visible(principal: Principal): Promise<readonly Visible[]> {
    const { rows } = await unavailableOnFailure(() =>
      this.pool.query<MatchRow & { pattern: string }>(VISIBLE, [principal.tenant, listedSubjects(principal)]),
    );
    return rows.map((row) => ({ pattern: row.pattern, roles: this.rolesOf([row]) }));
  }

  /** One query for any number of documents: the poll that finds what a lost notification said. */
  async revisions(keys: readonly DocumentKey[]): Promise<ReadonlyMap<DocumentKey, number>> {
    if (keys.length === 0) return new Map();
    const { tenants, names } = keyColumns(keys);
    const { rows } = await unavailableOnFailure(() =>
      this.pool.query<{ rev: string }>(REVISIONS, [tenants, names]),
    );
    return new Map(keys.map((key, position) => [key, Number(rows[position]?.rev ?? 0)]));
  }

  async watch(onChange: (change: PolicyChange) => void): Promise<StopWatching> {
    if (!this.notifications) return async () => {};
    return this.notifications.listen(CHANNEL, (payload) => {
      const change = parseChange(payload);
      if (change) onChange(change);
    });
  }

  /** A grant of a role that nobody defines gives nothing. */
  private rolesOf(rows: readonly MatchRow[]): Role[] {
    return rows.flatMap((row) => {
      if (row.role === null) return [];
      const builtIn = this.roles.get(row.role);
      return builtIn ? [builtIn] : definitionsIn(row).map(([, role]) => role);
    });
  }
}

function definitionsIn({ name, ...row }: MatchRow): [name: string, role: Role][] {
  return name === null ? [] : [[name, roleOf({ ...row, name })]];
}
