import { toWeftError, WeftError } from './errors.ts';

const SQLSTATE = /^[0-9A-Z]{5}$/;
/** The database is away, starting, full or being repaired, rather than asked for something that cannot be. */
const UNAVAILABLE_CLASSES = ['08', '28', '3D', '53', '57', '58'];
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
  return NETWORK.includes(code) || (SQLSTATE.test(code) && UNAVAILABLE_CLASSES.includes(code.slice(0, 2)));
}

/** A database that is away is `log-unavailable`; anything else that is not ours is `internal`. */
export function refusalOf(error: unknown): WeftError {
  return isDatabaseAway(error) ? new WeftError('log-unavailable', { cause: error }) : toWeftError(error);
}
