import { toWeftError, WeftError } from './errors.ts';

const SQLSTATE = /^[0-9A-Z]{5}$/;
/**
 * Classes and codes: the database is away, starting, full, busy, a replica or being repaired, rather than asked for something
 * that cannot be.
 */
const UNAVAILABLE = [
  '08',
  '25006', // read-only transaction
  '25P03', // idle in transaction
  '25P04', // transaction timed out
  '28',
  '3D',
  '40', // serialization failure, deadlock
  '42501', // insufficient privilege
  '53',
  '55', // locked, in use, or not in the state for it
  '57',
  '58',
];
const CLIENT_FAILURE = /^(?:Connection terminated|Query read timeout|timeout exceeded|timeout expired)/;
const NETWORK = [
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
];

/** Set only when the server has answered, and so is known not to have committed. Node's own codes begin with E, and so does no SQLSTATE. */
export function sqlState(error: unknown): string | undefined {
  const code = (error as { code?: unknown } | undefined)?.code;
  return typeof code === 'string' && SQLSTATE.test(code) && !code.startsWith('E') ? code : undefined;
}

/** pg reports a lost connection as a plain Error, the operating system's and Postgres' own with a code. */
export function isDatabaseAway(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const code = (error as { code?: unknown }).code;
  if (typeof code !== 'string') return CLIENT_FAILURE.test(error.message);
  const state = sqlState(error);
  if (state === undefined) return NETWORK.includes(code);
  return UNAVAILABLE.includes(state) || UNAVAILABLE.includes(state.slice(0, 2));
}

/** A database that is away is `log-unavailable`; anything else that is not ours is `internal`. */
export function refusalOf(error: unknown): WeftError {
  return isDatabaseAway(error) ? new WeftError('log-unavailable', { cause: error }) : toWeftError(error);
}
