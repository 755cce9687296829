import { createDatabase } from '@weft/harness';
import { silentLogger } from '@weft/common';
import { migrate } from '@weft/postgres';
import pg from 'pg';
import { afterEach, beforeEach, describe, expect, inject, test } from 'vitest';
import { AuditLog } from './audit-log.ts';
import { migrationsDirectory } from './index.ts';
import { pruneAudit } from './prune.ts';

const HOUR = 3_600_000;

let pool: pg.Pool;

beforeEach(async () => {
  pool = new pg.Pool({ connectionString: await createDatabase(inject('postgresUrl')) });
  await migrate({ pool, directories: [migrationsDirectory], logger: silentLogger });
});
afterEach(() => pool.end());

/** Entries of a tenant, the first one `hours` old and each next a minute younger. */
async function record(tenant: string, hours: number, actions: readonly string[]): Promise<void> {
  await pool.query(
    `INSERT INTO audit (entry, tenant, at, action)
     SELECT gen_random_uuid(), $1, now() - $2 * interval '1 hour' + n * interval '1 minute', action
     FROM unnest($3::text[]) WITH ORDINALITY AS given (action, n)`,
    [tenant, hours, actions],
  );
}

const kept = async (tenant: string) => (await new AuditLog({ pool }).list({ tenant })).rows;
const actions = async (tenant: string) => (await kept(tenant)).map(({ action }) => action);

describe('P11.8 how long entries are kept', () => {
  test('P11.8 the oldest go first, in portions, and each tenant is told how many', async () => {
    await record('acme', 5, ['a1', 'a2', 'a3']);
    await record('other', 4, ['b1']);
    await record('acme', 1, ['new']);
    expect(await pruneAudit(pool, { age: 3 * HOUR, limit: 2 })).toBe(2);
    expect(await actions('acme')).toEqual(['a3', 'new', 'audit.prune']);
    expect(await pruneAudit(pool, { age: 3 * HOUR, limit: 10 })).toBe(2);
    expect(await actions('acme')).toEqual(['new', 'audit.prune', 'audit.prune']);
    expect((await kept('acme')).flatMap(({ detail }) => (detail ? [detail] : []))).toMatchObject([
      { removed: 2 },
      { removed: 1 },
    ]);
    expect(await actions('other')).toEqual(['audit.prune']);
    expect(await pruneAudit(pool, { age: 3 * HOUR, limit: 10 })).toBe(0);
    await expect(pool.query('DELETE FROM audit')).rejects.toThrow('append-only');
  });

  test('P11.8 a note that goes leaves no other', async () => {
    await record('acme', 5, ['audit.prune']);
    expect(await pruneAudit(pool, { age: 3 * HOUR, limit: 10 })).toBe(1);
    expect(await kept('acme')).toEqual([]);
  });

  test('P11.8 what another process is removing is left to it', async () => {
    await record('acme', 5, ['a1', 'a2']);
    const other = await pool.connect();
    await other.query('BEGIN');
    await other.query("SELECT FROM audit WHERE action = 'a1' FOR UPDATE");
    expect(await pruneAudit(pool, { age: 3 * HOUR, limit: 10 })).toBe(1);
    await other.query('COMMIT');
    other.release();
    expect(await actions('acme')).toEqual(['a1', 'audit.prune']);
  });
});
