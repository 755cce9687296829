import { cpSync, existsSync } from 'node:fs';
import { join } from 'node:path';

/**
 * What a run of all tests makes once for everybody who starts a server, below `WEFT_E2E_PREPARED`: databases that
 * nobody has used, since making one takes longer than most tests. Without it each server makes its own.
 */
export type Prepared = 'postgres' | 'embedded';

/** The path of what was prepared, or nothing where nothing was. */
export function findPrepared(name: Prepared): string | undefined {
  const directory = process.env.WEFT_E2E_PREPARED;
  const path = directory && join(directory, name);
  return path && existsSync(path) ? path : undefined;
}

/** Where the embedded Postgres is in a data directory of the server. */
export const EMBEDDED = 'postgres';

/** Puts a new embedded database into a data directory that has none, if one was prepared. */
export function provideEmbedded(dataDir: string): void {
  const prepared = findPrepared('embedded');
  if (prepared) cpSync(prepared, join(dataDir, EMBEDDED), { recursive: true });
}
