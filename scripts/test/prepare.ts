/**
 * Makes what tests can share: `node --conditions=weft-source scripts/test/prepare.ts <directory>`, after the build.
 * The server runs once, to its orderly end, which leaves its compiled code in NODE_COMPILE_CACHE: one that is
 * killed, as most in the tests, leaves nothing there.
 */
import { mkdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { EMBEDDED, makePostgresData, makePostgresDirectory, startWeft } from '@weft/harness';

const [directory = ''] = process.argv.slice(2);

async function prepareEmbedded(): Promise<void> {
  const dataDir = join(directory, 'weft');
  mkdirSync(dataDir);
  const server = await startWeft({ dataDir });
  const status = await server.stop();
  if (status !== 0) throw new Error(`weft ended with ${status}:\n${server.logs}`);
  renameSync(join(dataDir, EMBEDDED), join(directory, 'embedded'));
  rmSync(dataDir, { recursive: true });
}

/** Made where its account may write, then moved to where everybody finds it. */
function preparePostgres(): void {
  const place = makePostgresDirectory();
  makePostgresData(join(place, 'data'));
  renameSync(join(place, 'data'), join(directory, 'postgres'));
  rmSync(place, { recursive: true });
}

preparePostgres();
await prepareEmbedded();
