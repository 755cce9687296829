import { createDatabase } from '@weft/harness';
import pg from 'pg';
import { inject, onTestFinished } from 'vitest';
import { startTestServer, type TestServer } from './running-server.ts';

export interface ServerAndDatabase {
  readonly server: TestServer;
  /** Beside the server's own connections, to hold it up or to look. */
  readonly database: pg.Client;
}

/** Both end with the test. */
export async function startServerAndDatabase(): Promise<ServerAndDatabase> {
  const DATABASE_URL = await createDatabase(inject('postgresUrl'));
  const server = await startTestServer({ DATABASE_URL });
  onTestFinished(() => server.remove());
  const database = new pg.Client({ connectionString: DATABASE_URL });
  await database.connect();
  onTestFinished(() => database.end());
  return { server, database };
}
