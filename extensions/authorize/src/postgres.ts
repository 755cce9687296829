import { type DocumentKey, inTransaction, nameOf, tenantOf, WeftError } from '@weft/common';
import type { Pool, QueryResultRow } from 'pg';
import type { Role } from './role.ts';

/** A pool, or a client inside a transaction of the caller's. */
export interface Queryable {
  query<Row extends QueryResultRow>(text: string, values?: unknown[]): Promise<{ rows: Row[] }>;
}

/**
 * Runs `work` in the caller's transaction when there is one, else in one of its own.
 *
 * @throws WeftError of `work`, else `permissions-unavailable`
 */
export async function joinTransaction<T>(
  pool: Pool,
  given: Queryable | undefined,
  work: (tx: Queryable) => Promise<T>,
): Promise<T> {
  return given ? work(given) : unavailableOnFailure(() => inTransaction(() => pool.connect(), work));
}

/** Whatever the database throws means that the answer is not known, and then the answer is no. */
export async function unavailableOnFailure<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw unavailable(error);
  }
}

function unavailable(error: unknown): WeftError {
  return error instanceof WeftError ? error : new WeftError('permissions-unavailable', { cause: error });
}

/**
 * Raises the policy revision under the documents' row locks, and notifies. First in its transaction, always:
 * all writers then take the locks in the order documents, grants.
 */
export async function bumpPolicyRevision(tx: Queryable, tenant: string, pattern: string): Promise<void> {
  await tx.query('SELECT weft_bump_policy_revision($1, $2)', [tenant, pattern]);
}

export interface RoleRow {
  readonly name: string;
  readonly can_read: boolean;
  readonly presence: boolean;
  readonly writable: string[] | null;
  readonly manage: boolean;
}

export function roleOf(row: RoleRow): Role {
  return {
    name: row.name,
    read: row.can_read,
    presence: row.presence,
    write: row.writable ?? '*',
    manage: row.manage,
  };
}

export interface KeyColumns {
  readonly tenants: string[];
  readonly names: string[];
}

export function keyColumns(keys: readonly DocumentKey[]): KeyColumns {
  return { tenants: keys.map(tenantOf), names: keys.map(nameOf) };
}
