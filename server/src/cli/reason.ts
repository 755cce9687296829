import { DirectoryLockedError } from '@weft/postgres';
import pg from 'pg';
import type { Config } from '../config.ts';

/** `EAI_AGAIN` is also the answer where no name server can be reached. */
const UNRESOLVED = new Set<string | undefined>(['ENOTFOUND', 'EAI_AGAIN']);

/** What people can do something about, in words; everything else with its stack. */
export function reasonOf(error: unknown, { host, port }: Pick<Config, 'host' | 'port'>): string {
  if (!(error instanceof Error)) return String(error);
  const { code, hostname } = error as NodeJS.ErrnoException & { readonly hostname?: string };
  if (code === 'EADDRINUSE') return `port ${port} of ${host} is in use. Choose another with PORT.`;
  if (code === 'EACCES')
    return `this user may not listen on port ${port}, or not write to a directory: ${error.message}`;
  if (code === 'EADDRNOTAVAIL') return `this machine has no address ${host}. Change HOST.`;
  if (UNRESOLVED.has(code) && hostname === host) return `${host} is the name of no address. Change HOST.`;
  if (code === 'ECONNREFUSED' || UNRESOLVED.has(code))
    return `the database cannot be reached (${error.message}).`;
  if (error instanceof pg.DatabaseError) return `the database refuses: ${error.message}.`;
  return error.name === 'Error' || error instanceof DirectoryLockedError
    ? error.message
    : String(error.stack);
}
