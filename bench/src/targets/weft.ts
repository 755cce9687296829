import { createDatabase, freePort, until } from '@weft/harness';
import jwt from 'jsonwebtoken';
import pg from 'pg';
import { fileURLToPath } from 'node:url';
import { LightClient } from '../load/client.ts';
import { answersOk, launch } from './launch.ts';
import { TOKEN_SECRET, type Deployment, type DeployOptions, type Instance, type Target } from './target.ts';

const SERVER = fileURLToPath(new URL('../../../server/src/main.ts', import.meta.url));

export const weft: Target = { name: 'weft', deploy };

/**
 * Limits that one generator, which stands for many addresses and people of superhuman speed, would meet. All
 * other options have their defaults.
 */
const LIMITS = {
  WEFT_UPDATE_RATE: '100000',
  WEFT_CONNECTIONS_PER_ADDRESS: '100000',
  WEFT_CONNECTIONS_PER_PERSON: '100000',
};

async function deploy(options: DeployOptions): Promise<Deployment> {
  const database = await createDatabase(options.services.postgres.url);
  const redis = options.instances > 1 ? { REDIS_URL: options.services.redis.url } : {};
  const starts = new Map<Instance, () => Promise<Instance['process']>>();

  const instances: Instance[] = [];
  for (let index = 0; index < options.instances; index++) {
    const port = await freePort();
    const start = () =>
      launch({
        name: 'weft',
        args: [SERVER, 'serve'],
        env: {
          ...LIMITS,
          ...redis,
          PORT: String(port),
          DATABASE_URL: database,
          WEFT_AUTO_MIGRATE: 'yes',
          WEFT_JWT_SECRET: TOKEN_SECRET,
          WEFT_INSTANCE_ID: `bench-${index}`,
          WEFT_LOG_LEVEL: 'warn',
          WEFT_WEB_ROOT: 'none',
        },
        cleanUp: options.cleanUp,
        inspectMemory: options.inspectMemory ?? false,
        ready: () => answersOk(`http://127.0.0.1:${port}/readyz`),
      });
    const instance = { url: `ws://127.0.0.1:${port}/collab`, process: await start() };
    starts.set(instance, start);
    instances.push(instance);
  }

  return {
    instances,
    token,
    seed: (document, pieces) => write(instances[0], document, pieces),
    settled: (document) => untilSnapshot(database, document),
    restart: async (instance) => {
      const start = starts.get(instance);
      if (start) instance.process = await start();
    },
  };
}

function token(user: string): string {
  const claims = { sub: user, name: user, grants: { 'bench*': 'owner' } };
  return jwt.sign(claims, TOKEN_SECRET, { expiresIn: '2h' });
}

/** Writes the document as its first author, through the front door. */
async function write(
  instance: Instance | undefined,
  document: string,
  pieces: readonly Uint8Array[],
): Promise<void> {
  if (!instance) throw new Error('There is no instance to write to');
  const author = new LightClient({
    url: instance.url,
    token: token('bench-author'),
    document,
    clientId: 1,
    presence: {},
  });
  await author.open();
  for (const piece of pieces) {
    author.sendUpdate(piece, undefined);
    // One after another, as edits come: many at once would be merged into few rows.
    await until(() => author.unacknowledged < 2 || author.failure, {
      timeout: 60_000,
      interval: 1,
      what: `${document} to be written`,
    });
  }
  await until(() => author.unacknowledged === 0 || author.failure, {
    timeout: 60_000,
    what: 'its end to be saved',
  });
  if (author.failure || author.refused > 0)
    throw new Error(`Writing ${document}: ${author.failure ?? 'refused'}`);
  await author.close();
}

/** From so many rows or bytes since its snapshot a document gets a new one (the default of `WEFT_COMPACTION_ROWS`). */
const SNAPSHOT_AFTER = { rows: 500, bytes: 1024 * 1024 };

/**
 * A document that has been worked on has a snapshot; the server looks for those that need one every 15 s. One that is
 * due would be made while something else is measured.
 */
async function untilSnapshot(database: string, document: string): Promise<void> {
  const client = new pg.Client({ connectionString: database });
  await client.connect();
  try {
    await until(
      async () => {
        const found = await client.query(
          `SELECT 1 FROM documents
           WHERE name = $1 AND head - snapshot_seq < $2 AND bytes - snapshot_bytes < $3`,
          [document, SNAPSHOT_AFTER.rows, SNAPSHOT_AFTER.bytes],
        );
        return found.rowCount;
      },
      { timeout: 60_000, interval: 250, what: `a snapshot of ${document}` },
    );
  } finally {
    await client.end();
  }
}
