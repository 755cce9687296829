import { WeftError } from '@weft/common';
import type { Pool } from 'pg';
import {
  bumpPolicyRevision,
  joinTransaction,
  type Queryable,
  type RoleRow,
  roleOf,
  unavailableOnFailure,
} from './postgres.ts';
import { type Role, roleProblem, type RoleTable } from './role.ts';
import type { OwnRoles, RoleDefinitions } from './source.ts';

/** Of one tenant, and so of one answer. */
const MAX_ROLES = 1_000;

/** The roles that a tenant defined for itself, beside those of the {@link RoleTable}, which nobody redefines. */
export class TenantRoles implements RoleDefinitions {
  private readonly pool: Pool;
  private readonly roles: RoleTable;

  constructor({ pool, roles }: { readonly pool: Pool; readonly roles: RoleTable }) {
    this.pool = pool;
    this.roles = roles;
  }

  async list(tenant: string): Promise<readonly Role[]> {
    const { rows } = await unavailableOnFailure(() =>
      this.pool.query<RoleRow>(
        `SELECT name, can_read, presence, writable, manage FROM roles WHERE tenant = $1
         ORDER BY name LIMIT ${MAX_ROLES}`,
        [tenant],
      ),
    );
    return rows.map(roleOf);
  }

  /** Names that nobody defined are left out. */
  async find(tenant: string, names: readonly string[]): Promise<OwnRoles> {
    const { rows } = await unavailableOnFailure(() =>
      this.pool.query<RoleRow>(
        'SELECT name, can_read, presence, writable, manage FROM roles WHERE tenant = $1 AND name = ANY($2::text[])',
        [tenant, names],
      ),
    );
    return new Map(rows.map((row) => [row.name, roleOf(row)]));
  }

  /** @throws WeftError `bad-request` for an invalid role or the name of one that is built in, `too-many-roles` */
  async put(tenant: string, role: Role, by: string, tx?: Queryable): Promise<void> {
    const problem = this.roles.get(role.name) ? 'the name is taken' : roleProblem(role);
    if (problem) throw new WeftError('bad-request', { detail: problem });
    await joinTransaction(this.pool, tx, async (client) => {
      // Whoever has the role has other rights from now on, in whatever document.
      await bumpPolicyRevision(client, tenant, '*');
      await requireRoom(client, tenant, role.name);
      await client.query(
        `INSERT INTO roles (tenant, name, can_read, presence, writable, manage, created_by)
         VALUES ($1, $2, $3, $4, $5, $6, $7)
         ON CONFLICT (tenant, name) DO UPDATE
         SET can_read = excluded.can_read, presence = excluded.presence, writable = excluded.writable,
             manage = excluded.manage, created_by = excluded.created_by, created_at = excluded.created_at`,
        [
          tenant,
          role.name,
          role.read,
          role.presence,
          role.write === '*' ? null : role.write,
          role.manage,
          by,
        ],
      );
    });
  }

  /**
   * Whatever names it, a grant or a token, gives nothing from then on.
   *
   * @returns whether there was such a role
   * @throws WeftError `bad-request` for the name of one that is built in
   */
  async remove(tenant: string, name: string, tx?: Queryable): Promise<boolean> {
    if (this.roles.get(name)) throw new WeftError('bad-request', { detail: 'the role is built in' });
    return joinTransaction(this.pool, tx, async (client) => {
      await bumpPolicyRevision(client, tenant, '*');
      const { rows } = await client.query(
        'DELETE FROM roles WHERE tenant = $1 AND name = $2 RETURNING name',
        [tenant, name],
      );
      return rows.length > 0;
    });
  }
}

/** Two at once may both take the last place: it is the size that matters, not the number. */
async function requireRoom(tx: Queryable, tenant: string, name: string): Promise<void> {
  const { rows } = await tx.query(
    `SELECT FROM roles WHERE tenant = $1 AND name <> $2 OFFSET ${MAX_ROLES - 1} LIMIT 1`,
    [tenant, name],
  );
  if (rows.length > 0) throw new WeftError('too-many-roles');
}
