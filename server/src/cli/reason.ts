import { DirectoryLockedError } from '@weft/postgres';
import { resolve, sep } from 'node:path';
import pg from 'pg';

/** Where the program was to listen, and to keep its files; a worker may have no port. */
interface Place {
  readonly host: string;
  readonly port: number | undefined;
  readonly dataDir: string;
}

interface SystemError extends NodeJS.ErrnoException {
  readonly hostname?: string;
}

/** `EAI_AGAIN` is also the answer where no name server can be reached. */
const UNRESOLVED = new Set<string | undefined>(['ENOTFOUND', 'EAI_AGAIN']);

const UNREACHED = new Set<string | undefined>([
  ...UNRESOLVED,
  'ECONNREFUSED',
  'ECONNRESET',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ETIMEDOUT',
]);
/** What `pg` says without a code where something else answers, answers too late, or speaks no TLS. */
const NO_POSTGRES =
  /^(Connection terminated|timeout e|The server does not support SSL|There was an error establishing an SSL)/;

const UNUSABLE = new Set<string | undefined>(['EEXIST', 'ENOENT', 'ENOTDIR', 'ENOSPC', 'EROFS']);

/** By the class of the SQLSTATE: what there is to do about an address that leads to no database of ours. */
const TO_DO_ABOUT: Readonly<Record<string, string>> = {
  '28': ' Change DATABASE_URL.',
  '3D': ' Create it, or change DATABASE_URL.',
};

/** What people can do something about, in words; everything else with its stack. */
export function reasonOf(error: unknown, place?: Place): string {
  if (!(error instanceof Error)) return String(error);
  const { code, syscall } = error as SystemError;
  const unheard = place && reasonNotToListen(error, place);
  if (unheard) return unheard;
  const remedy = place && isInside(place.dataDir, error) ? ' Change WEFT_DATA_DIR.' : '';
  // `ENOENT` is a socket in the file system that is not there.
  if (UNREACHED.has(code) || syscall === 'connect' || (code === undefined && NO_POSTGRES.test(error.message)))
    return `the database cannot be reached (${error.message}). Start it, or change DATABASE_URL.`;
  if (code === 'EACCES') return `this user may not use a file or directory: ${error.message}.${remedy}`;
  if (UNUSABLE.has(code)) return `a file or directory cannot be used: ${error.message}.${remedy}`;
  if (error instanceof pg.DatabaseError)
    return `the database refuses: ${error.message}.${TO_DO_ABOUT[error.code?.slice(0, 2) ?? ''] ?? ''}`;
  return error.name === 'Error' || error instanceof DirectoryLockedError
    ? error.message
    : String(error.stack);
}

function isInside(directory: string, { path = '' }: SystemError): boolean {
  return `${resolve(path)}${sep}`.startsWith(`${resolve(directory)}${sep}`);
}

function reasonNotToListen(
  { code, hostname, syscall, message }: SystemError,
  { host, port }: Place,
): string | undefined {
  if (code === 'EADDRINUSE') return `port ${port} of ${host} is in use. Choose another with PORT.`;
  if (code === 'EADDRNOTAVAIL') return `this machine has no address ${host}. Change HOST.`;
  if (UNRESOLVED.has(code) && hostname === host) return `${host} is the name of no address. Change HOST.`;
  return code === 'EACCES' && syscall === 'listen'
    ? `this user may not listen on port ${port}: ${message}.`
    : undefined;
}
