import { createDatabase, freePort } from '@weft/harness';
import jwt from 'jsonwebtoken';
import pg from 'pg';
import { fileURLToPath } from 'node:url';
import * as Y from 'yjs';
import { answersOk, launch } from './launch.ts';
import { TOKEN_SECRET, type Deployment, type DeployOptions, type Instance, type Target } from './target.ts';

const SERVER = fileURLToPath(new URL('stock-server.ts', import.meta.url));

export const stock: Target = { name: 'stock', deploy };

async function deploy(options: DeployOptions): Promise<Deployment> {
  const database = await createDatabase(options.services.postgres.url);
  await run(database, 'CREATE TABLE documents (name text PRIMARY KEY, state bytea NOT NULL)', []);
  const redis = options.instances > 1 ? options.services.redis.url : undefined;
  const ports = new Map<Instance, number>();

  const start = (port: number) => {
    const args = [SERVER, `--port=${port}`, `--database=${database}`, `--secret=${TOKEN_SECRET}`];
    return launch({
      name: 'stock',
      args: redis ? [...args, `--redis=${redis}`] : args,
      env: {},
      cleanUp: options.cleanUp,
      inspectMemory: options.inspectMemory ?? false,
      ready: () => answersOk(`http://127.0.0.1:${port}/`),
    });
  };

  const instances: Instance[] = [];
  for (let left = options.instances; left > 0; left--) {
    const port = await freePort();
    const instance = { url: `ws://127.0.0.1:${port}/collab`, process: await start(port) };
    ports.set(instance, port);
    instances.push(instance);
  }

  return {
    instances,
    token: (user) => jwt.sign({ sub: user, name: user }, TOKEN_SECRET, { expiresIn: '2h' }),
    seed: (document, pieces) =>
      run(database, 'INSERT INTO documents (name, state) VALUES ($1, $2)', [document, mergeOnce(pieces)]),
    settled: async () => undefined,
    restart: async (instance) => {
      instance.process = await start(ports.get(instance) ?? 0);
    },
  };
}

/** As a Y.Doc encodes it, since that is what the Database extension stores. */
function mergeOnce(pieces: readonly Uint8Array[]): Buffer {
  const doc = new Y.Doc();
  for (const piece of pieces) Y.applyUpdate(doc, piece);
  const state = Y.encodeStateAsUpdate(doc);
  doc.destroy();
  return Buffer.from(state);
}

async function run(database: string, text: string, values: unknown[]): Promise<void> {
  const client = new pg.Client({ connectionString: database });
  await client.connect();
  try {
    await client.query(text, values);
  } finally {
    await client.end();
  }
}
