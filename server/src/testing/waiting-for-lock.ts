import { until } from '@weft/harness';
import type pg from 'pg';

const WAITING =
  "SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()";

/** Until somebody else waits for a lock in this database; other tests have theirs beside it. */
export async function someoneWaitsForLock(database: pg.Client): Promise<void> {
  await until(async () => (await database.query(WAITING)).rows.length > 0, {
    what: 'somebody to wait for a lock',
  });
}
