import { until } from './wait.ts';

interface Queryable {
  query(text: string): Promise<{ readonly rows: readonly unknown[] }>;
}

// In a transaction Postgres goes on showing the activity that was read first.
const AFRESH = 'SELECT pg_stat_clear_snapshot()';
const WAITING =
  "SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()";

/**
 * Until so many connections wait for a lock in this database; other tests have theirs beside it.
 * @param database may be in the transaction that the others wait for
 */
export async function lockAwaited(database: Queryable, connections = 1): Promise<void> {
  await until(
    async () => {
      await database.query(AFRESH);
      return (await database.query(WAITING)).rows.length >= connections;
    },
    { what: `${connections} to wait for a lock` },
  );
}
