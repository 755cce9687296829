import { checkOut } from '@weft/common';
import type pg from 'pg';

/** Milliseconds. All documents are rewritten in one transaction. */
const RENEWAL_TIMEOUT = 3_600_000;

export interface RenewOptions {
  /** Only if the database is still of this one. */
  readonly generation?: number;
  /** What belongs to the same transaction, such as a record of who did it. */
  readonly alongside?: (tx: pg.PoolClient) => Promise<void>;
}

/**
 * Gives every document a new epoch, in one transaction: part of restoring a database. Readers with an older cursor are
 * told; instances that run load their documents again.
 *
 * @returns the number of documents; `undefined` when it is of another generation
 */
export async function renewEpochs(
  pool: pg.Pool,
  { generation, alongside }: RenewOptions = {},
): Promise<number | undefined> {
  const client = await checkOut(() => pool.connect());
  let broken = true;
  try {
    await client.query(`BEGIN; SET LOCAL statement_timeout = ${RENEWAL_TIMEOUT}`);
    const { rows } = await client.query<{ renewed: string | null }>({
      text: 'SELECT weft_renew_epochs($1) AS renewed',
      values: [generation],
      query_timeout: RENEWAL_TIMEOUT,
    } as pg.QueryConfig);
    const renewed = rows[0]?.renewed ?? undefined;
    if (renewed !== undefined) await alongside?.(client);
    await client.query('COMMIT');
    broken = false;
    return renewed === undefined ? undefined : Number(renewed);
  } finally {
    // An open transaction ends with its connection.
    client.release(broken);
  }
}
