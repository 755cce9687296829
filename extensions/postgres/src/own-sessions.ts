import { checkOut } from '@weft/common';
import type pg from 'pg';

/**
 * @throws when connections share a session of the server, as through a pooler in transaction mode. Prepared statements,
 * LISTEN, and locks of a session would then be another's: that fails later, and not always loudly.
 */
export async function requireOwnSessions(pool: pg.Pool): Promise<void> {
  const first = await checkOut(() => pool.connect());
  try {
    const second = await checkOut(() => pool.connect());
    try {
      if ((await sessionOf(first)) !== (await sessionOf(second))) return;
    } finally {
      second.release();
    }
  } finally {
    first.release();
  }
  throw new Error(
    'DATABASE_URL leads to a pooler that shares one session of Postgres among connections. ' +
      'Put it into session mode, or connect without it.',
  );
}

async function sessionOf(client: pg.PoolClient): Promise<number | undefined> {
  const { rows } = await client.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
  return rows[0]?.pid;
}
