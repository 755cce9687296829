import { randomBytes } from 'node:crypto';
import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

const FILE = 'development-secret';
const BYTES = 32;
const CHARACTERS = Math.ceil((BYTES * 4) / 3);
/** For whoever made the file to write it. */
const PATIENCE_MS = 5_000;
const LOOK_AGAIN_MS = 20;

/**
 * The secret of development mode: made once and kept, so that tokens outlive a restart. Only its owner may read
 * the file. Of several processes that start at once, all end with the same secret.
 *
 * @throws when the file is there and stays unfinished, as after a crash in the moment of its making
 */
export async function developmentSecret(dataDir: string): Promise<string> {
  const path = join(dataDir, FILE);
  await mkdir(dataDir, { recursive: true });
  try {
    const secret = randomBytes(BYTES).toString('base64url');
    await writeFile(path, secret, { mode: 0o600, flag: 'wx', flush: true });
    return secret;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
  await chmod(path, 0o600);
  return readWhole(path);
}

/** Between its making and its writing the file is there and empty. */
async function readWhole(path: string): Promise<string> {
  for (let waited = 0; waited <= PATIENCE_MS; waited += LOOK_AGAIN_MS) {
    const secret = await readFile(path, 'utf8');
    if (secret.length >= CHARACTERS) return secret;
    await delay(LOOK_AGAIN_MS);
  }
  throw new Error(`${path} is unfinished. Delete it, and it is made anew.`);
}
