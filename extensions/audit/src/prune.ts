import type { Queryable } from './table.ts';

export interface Pruning {
  /** Milliseconds that an entry is kept, by the clock of the database. */
  readonly age: number;
  /** Rows to remove at the most; writers wait while they go. */
  readonly limit: number;
}

/**
 * Removes the oldest entries, and records for each tenant how many. Fewer than `limit`: no more are old, or another
 * process is removing them.
 *
 * @returns how many rows are gone
 */
export async function pruneAudit(db: Queryable, { age, limit }: Pruning): Promise<number> {
  const { rows } = await db.query<{ removed: string }>(
    "SELECT weft_audit_prune($1::float8 * interval '1 millisecond', $2) AS removed",
    [age, limit],
  );
  return Number(rows[0]?.removed ?? 0);
}
