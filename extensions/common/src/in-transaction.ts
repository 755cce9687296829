import { checkOut, type Connection } from './check-out.ts';
import { WeftError } from './errors.ts';

interface Client extends Connection {
  query(text: string): Promise<unknown>;
  release(destroy?: boolean): void;
}

/**
 * Commits what `work` did, or none of it when it rejects. A connection on which anything but that failed is not given to
 * the next one: it may be at fault itself, as one that was made while the database took no writes.
 */
export async function inTransaction<C extends Client, T>(
  connect: () => Promise<C>,
  work: (tx: C) => Promise<T>,
): Promise<T> {
  const tx = await checkOut(connect);
  let broken = false;
  try {
    await tx.query('BEGIN');
    const result = await work(tx);
    await tx.query('COMMIT');
    return result;
  } catch (error) {
    broken = !(error instanceof WeftError);
    if (!broken) await tx.query('ROLLBACK').catch(() => (broken = true));
    throw error;
  } finally {
    tx.release(broken);
  }
}
