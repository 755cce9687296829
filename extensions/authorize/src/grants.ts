import { type DocumentKey, isPattern, nameOf, type Subject, tenantOf, WeftError } from '@weft/common';
import type { Pool } from 'pg';
import { bumpPolicyRevision, joinTransaction, type Queryable, unavailableOnFailure } from './postgres.ts';
import { OWNER, type RoleTable } from './role.ts';
import { isSubject } from './subject.ts';

/** Of one document, and so of one answer. Whoever wants more wants a group. */
const MAX_GRANTS = 5_000;
/** Of a tenant's own, to whoever asked for one that does not exist. */
const MAX_ROLES_NAMED = 100;

export interface Grant {
  /** A document's name or `prefix*`. */
  readonly pattern: string;
  readonly subject: Subject;
  readonly role: string;
  /** Milliseconds since 1970. */
  readonly expiresAt: number | undefined;
  /** Whoever gave it: a token's `sub`. */
  readonly createdBy: string;
  readonly createdAt: number;
}

/** One document, or all of a tenant whose names begin alike. */
export type GrantTarget =
  { readonly key: DocumentKey } | { readonly tenant: string; readonly pattern: string };

export type NewGrant = GrantTarget & {
  readonly subject: string;
  readonly role: string;
  /** Milliseconds since 1970; it may not be past. */
  readonly expiresAt?: number | undefined;
  readonly by: string;
};

export type GrantName = GrantTarget & { readonly subject: string };

interface GrantRow {
  pattern: string;
  subject: Subject;
  role: string;
  expires_at: Date | null;
  created_by: string;
  created_at: Date;
}

const COLUMNS = 'pattern, subject, role, expires_at, created_by, created_at';
const ACTIVE = '(expires_at IS NULL OR expires_at > now())';

/**
 * The grants in Postgres. Each change is one transaction with the bump of the policy revision, which is what
 * makes a revocation a barrier for the log. Given a client, the change joins the caller's transaction, who
 * then must let an error roll it back.
 */
export class GrantStore {
  private readonly pool: Pool;
  private readonly roles: RoleTable;

  constructor({ pool, roles }: { readonly pool: Pool; readonly roles: RoleTable }) {
    this.pool = pool;
    this.roles = roles;
  }

  /** The grants on this very document, without those that reach it by a pattern; expired ones are gone. */
  async list(key: DocumentKey): Promise<readonly Grant[]> {
    return this.listOf({ key });
  }

  async listOf(target: GrantTarget): Promise<readonly Grant[]> {
    const { tenant, pattern } = place(target);
    const { rows } = await unavailableOnFailure(() =>
      this.pool.query<GrantRow>(
        `SELECT ${COLUMNS} FROM grants WHERE tenant = $1 AND pattern = $2 AND ${ACTIVE}
         ORDER BY subject LIMIT ${MAX_GRANTS}`,
        [tenant, pattern],
      ),
    );
    return rows.map(grantOf);
  }

  /**
   * Gives the subject this role in place of the one it had.
   *
   * @throws WeftError `subject-invalid`, `role-unknown` with `data: {roles}`, `name-invalid`, `bad-request`, `last-owner`,
   *   `too-many-grants`
   */
  async put(grant: NewGrant, tx?: Queryable): Promise<Grant> {
    const { tenant, pattern } = place(grant);
    const { subject, role, expiresAt, by } = grant;
    if (!isSubject(subject)) throw new WeftError('subject-invalid');
    if (expiresAt !== undefined && !(expiresAt > Date.now() && expiresAt <= 8.64e15)) {
      throw new WeftError('bad-request', { detail: 'expiresAt is past' });
    }
    return joinTransaction(this.pool, tx, async (client) => {
      await bumpPolicyRevision(client, tenant, pattern);
      await this.checkRole(client, tenant, role);
      if (role !== OWNER.name || expiresAt !== undefined) await keepAnOwner(client, tenant, pattern, subject);
      await makeRoom(client, tenant, pattern, subject);
      const { rows } = await client.query<GrantRow>(
        `INSERT INTO grants (tenant, pattern, subject, role, expires_at, created_by)
         VALUES ($1, $2, $3, $4, $5, $6)
         ON CONFLICT (tenant, pattern, subject) DO UPDATE
         SET role = excluded.role, expires_at = excluded.expires_at,
             created_by = excluded.created_by, created_at = excluded.created_at
         RETURNING ${COLUMNS}`,
        [tenant, pattern, subject, role, expiresAt === undefined ? null : new Date(expiresAt), by],
      );
      const [row] = rows;
      if (!row) throw new WeftError('internal', { detail: 'the insert returned no row' });
      return grantOf(row);
    });
  }

  /**
   * @returns whether there was such a grant
   * @throws WeftError `last-owner`
   */
  async remove(name: GrantName, tx?: Queryable): Promise<boolean> {
    const { tenant, pattern } = place(name);
    return joinTransaction(this.pool, tx, async (client) => {
      await bumpPolicyRevision(client, tenant, pattern);
      await keepAnOwner(client, tenant, pattern, name.subject);
      const { rows } = await client.query(
        'DELETE FROM grants WHERE tenant = $1 AND pattern = $2 AND subject = $3 RETURNING subject',
        [tenant, pattern, name.subject],
      );
      return rows.length > 0;
    });
  }

  /** For a document that is being deleted: who makes the name again must not inherit its people. */
  async removeAll(key: DocumentKey, tx?: Queryable): Promise<void> {
    await joinTransaction(this.pool, tx, async (client) => {
      await bumpPolicyRevision(client, tenantOf(key), nameOf(key));
      await client.query('DELETE FROM grants WHERE tenant = $1 AND pattern = $2', [
        tenantOf(key),
        nameOf(key),
      ]);
    });
  }

  private async checkRole(client: Queryable, tenant: string, role: string): Promise<void> {
    if (this.roles.get(role)) return;
    const { rows } = await client.query('SELECT FROM roles WHERE tenant = $1 AND name = $2', [tenant, role]);
    if (rows.length > 0) return;
    throw new WeftError('role-unknown', { data: { roles: await this.roleNames(client, tenant) } });
  }

  private async roleNames(client: Queryable, tenant: string): Promise<readonly string[]> {
    const { rows } = await client.query<{ name: string }>(
      `SELECT name FROM roles WHERE tenant = $1 ORDER BY name LIMIT ${MAX_ROLES_NAMED}`,
      [tenant],
    );
    return [...this.roles.names(), ...rows.map(({ name }) => name)];
  }
}

/** Refuses one grant more than there may be; those that have expired make room. */
async function makeRoom(tx: Queryable, tenant: string, pattern: string, subject: string): Promise<void> {
  const isFull = async () => {
    const { rows } = await tx.query(
      `SELECT FROM grants WHERE tenant = $1 AND pattern = $2 AND subject <> $3
       OFFSET ${MAX_GRANTS - 1} LIMIT 1`,
      [tenant, pattern, subject],
    );
    return rows.length > 0;
  };
  if (!(await isFull())) return;
  await tx.query(`DELETE FROM grants WHERE tenant = $1 AND pattern = $2 AND NOT ${ACTIVE}`, [
    tenant,
    pattern,
  ]);
  if (await isFull()) throw new WeftError('too-many-grants');
}

/**
 * Refuses to take away the last owner grant without an end. To be called after the bump of the policy revision, whose lock
 * lasts until the commit: of two who remove each other at once, the second waits there, and then finds itself to be the
 * last.
 */
async function keepAnOwner(tx: Queryable, tenant: string, pattern: string, leaving: string): Promise<void> {
  const { rows } = await tx.query<{ subject: string }>(
    `SELECT subject FROM grants
     WHERE tenant = $1 AND pattern = $2 AND role = $3 AND expires_at IS NULL LIMIT 2`,
    [tenant, pattern, OWNER.name],
  );
  if (rows.length === 1 && rows[0]?.subject === leaving) throw new WeftError('last-owner');
}

function place(target: GrantTarget): { tenant: string; pattern: string } {
  if (!('key' in target)) {
    if (!isPattern(target.pattern)) throw new WeftError('name-invalid');
    return target;
  }
  const pattern = nameOf(target.key);
  // A name that ends in `*` would give rights to every document that begins like it.
  if (!isPattern(pattern) || pattern.endsWith('*')) throw new WeftError('name-invalid');
  return { tenant: tenantOf(target.key), pattern };
}

function grantOf(row: GrantRow): Grant {
  return {
    pattern: row.pattern,
    subject: row.subject,
    role: row.role,
    expiresAt: row.expires_at?.getTime(),
    createdBy: row.created_by,
    createdAt: row.created_at.getTime(),
  };
}
