import { sqlState } from '@weft/common';

/**
 * What to do after a statement has failed.
 * - `retry`: the database is away, busy or out of something: the same statement will work when it is back.
 * - `data`: it cannot work, whenever it is tried.
 * - `unknown`: tried again a few times.
 */
export type FailureClass = 'retry' | 'data' | 'unknown';

/** Classes (the first two characters) and codes. Source: https://www.postgresql.org/docs/current/errcodes-appendix.html */
const RETRY = new Set([
  '08', // connection exception
  '28', // invalid authorization: a password that is being changed
  '3D', // the database does not exist: being restored
  '40', // serialization failure, deadlock
  '53', // out of disk, memory, connections
  '57', // shut down, starting, statement timed out
  '58', // the server's operating system failed
  '25006', // read-only transaction: a standby before it takes over
  '25P03', // idle in transaction
  '25P04', // transaction timed out
  '42501', // insufficient privilege: an operator is at it
  '42883', // undefined function: the schema is being migrated
  '42P01', // undefined table: likewise
  '55000', // not in the state for it: a database that takes no connections
  '55006', // object in use
  '55P03', // lock not available
  '72000', // snapshot too old
]);
/** Data exception, integrity violation, program limit exceeded. */
const DATA = new Set(['22', '23', '54']);

export function classifyFailure(error: unknown): FailureClass {
  const code = sqlState(error);
  if (code === undefined) return isProgrammingError(error) ? 'unknown' : 'retry';
  if (RETRY.has(code) || RETRY.has(code.slice(0, 2))) return 'retry';
  return DATA.has(code.slice(0, 2)) ? 'data' : 'unknown';
}

/** The client library reports a lost connection as a plain Error, the operating system's with a code. */
function isProgrammingError(error: unknown): boolean {
  return error instanceof TypeError || error instanceof RangeError || !(error instanceof Error);
}
