import { Database } from '@hocuspocus/extension-database';
import { Redis } from '@hocuspocus/extension-redis';
import { Server } from '@hocuspocus/server';
import jwt from 'jsonwebtoken';
import pg from 'pg';
import { parseArgs } from 'node:util';

/**
 * Stock Hocuspocus as its documentation sets it up: the Database extension over Postgres, a JWT verified when
 * somebody opens a document, the Redis extension when there are several instances. Every option that is not
 * named here has its default.
 */
const { values } = parseArgs({
  options: {
    port: { type: 'string' },
    database: { type: 'string' },
    redis: { type: 'string' },
    secret: { type: 'string' },
  },
});
const { port, database, secret, redis } = values;
if (!port || !database || !secret) throw new Error('--port, --database and --secret are needed');

const pool = new pg.Pool({ connectionString: database });
pool.on('error', (error) => console.error(error.message));

const extensions: (Database | Redis)[] = [
  new Database({
    fetch: async ({ documentName }) => {
      const found = await pool.query<{ state: Buffer }>('SELECT state FROM documents WHERE name = $1', [
        documentName,
      ]);
      return found.rows[0]?.state ?? null;
    },
    store: async ({ documentName, state }) => {
      await pool.query(
        `INSERT INTO documents (name, state) VALUES ($1, $2)
         ON CONFLICT (name) DO UPDATE SET state = excluded.state`,
        [documentName, state],
      );
    },
  }),
];
if (redis) extensions.push(new Redis({ host: '127.0.0.1', port: Number(new URL(redis).port) }));

const server = new Server({
  port: Number(port),
  address: '127.0.0.1',
  quiet: true,
  extensions,
  onAuthenticate: async ({ token }) => {
    const claims = jwt.verify(token, secret, { algorithms: ['HS256'] });
    return { user: claims.sub };
  },
});
await server.listen();
