import { checkOut } from '@weft/common';
import type { Pool, PoolClient } from 'pg';

/** Commits what `work` did, or none of it when it rejects. */
export async function inTransaction<T>(pool: Pool, work: (tx: PoolClient) => Promise<T>): Promise<T> {
  const tx = await checkOut(() => pool.connect());
  let broken: Error | undefined;
  try {
    await tx.query('BEGIN');
    const result = await work(tx);
    await tx.query('COMMIT');
    return result;
  } catch (error) {
    // A connection that cannot even roll back is not given to the next one.
    await tx.query('ROLLBACK').catch((cause: unknown) => (broken = cause as Error));
    throw error;
  } finally {
    tx.release(broken);
  }
}
