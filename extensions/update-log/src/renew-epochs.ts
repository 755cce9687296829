import { checkOut } from '@weft/common';
import type pg from 'pg';

/** Milliseconds. All documents are rewritten in one transaction. */
const RENEWAL_TIMEOUT = 3_600_000;

/**
 * Gives every document a new epoch, in one transaction: part of restoring a database. Readers with an older cursor are
 * told; instances that run load their documents again.
 *
 * @param generation only if the database is still of that one
 * @returns the number of documents; `undefined` when it is of another generation
 */
export async function renewEpochs(pool: pg.Pool, generation?: number): Promise<number | undefined> {
  const client = await checkOut(() => pool.connect());
  let broken = true;
  try {
    await client.query(`BEGIN; SET LOCAL statement_timeout = ${RENEWAL_TIMEOUT}`);
    const { rows } = await client.query<{ renewed: string | null }>({
      text: 'SELECT weft_renew_epochs($1) AS renewed',
      values: [generation],
      query_timeout: RENEWAL_TIMEOUT,
    } as pg.QueryConfig);
    await client.query('COMMIT');
    broken = false;
    const renewed = rows[0]?.renewed ?? undefined;
    return renewed === undefined ? undefined : Number(renewed);
  } finally {
    // An open transaction ends with its connection.
    client.release(broken);
  }
}
