import { documentKey, type DocumentKey, nameOf, tenantOf, type WeftError } from '@weft/common';
import { lockAwaited, until } from '@weft/harness';
import type pg from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, inject, onTestFinished, test, vi } from 'vitest';
import { Gate } from './gate.ts';
import { GrantStore } from './grants.ts';
import { type Role, RoleTable, VIEWER } from './role.ts';
import { PostgresGrantSource } from './sources/postgres.ts';
import { TokenGrantSource } from './sources/token.ts';
import { TenantRoles } from './tenant-roles.ts';
import { createDocument, openPool } from './testing/database.ts';
import { person } from './testing/fixtures.ts';
import { grantSourceContract } from './testing/source-contract.ts';

const roles = new RoleTable();
let pool: pg.Pool;
let store: GrantStore;
let source: PostgresGrantSource;
let gate: Gate;
let tenant = '';
let key: DocumentKey;
let tenants = 0;

beforeAll(async () => {
  pool = await openPool(inject('postgresUrl'));
  store = new GrantStore({ pool, roles });
  source = new PostgresGrantSource({ pool, roles });
  const definitions = new TenantRoles({ pool, roles });
  gate = new Gate({ sources: [source, new TokenGrantSource({ roles, definitions })] });
});
afterAll(() => pool.end());
beforeEach(async () => {
  tenant = `t${++tenants}`;
  key = documentKey(tenant, 'plan');
  await createDocument(pool, key);
});

const give = (subject: string, role = 'editor', on = key) =>
  store.put({ key: on, subject, role, by: 'root' });
const of = (user: string, groups: string[] = []) => person(user, { tenant, groups });
const roleOf = async (user: string, on = key, groups: string[] = []) =>
  (await gate.resolve(of(user, groups), on)).role?.name;
const code = (promise: Promise<unknown>) =>
  promise.then(
    () => 'accepted',
    (error: WeftError) => error.code,
  );

/** Whether the statement that runs on this connection waits for a lock. */
async function isWaiting(client: pg.PoolClient): Promise<boolean> {
  const { processID } = client as unknown as { readonly processID: number };
  const { rows } = await pool.query(
    "SELECT 1 FROM pg_stat_activity WHERE pid = $1 AND wait_event_type = 'Lock'",
    [processID],
  );
  return rows.length > 0;
}

grantSourceContract('postgres', async () => {
  await pool.query("DELETE FROM grants WHERE tenant = 'acme'");
  return {
    source,
    allow: async (principal, on, role) => {
      await store.put({ key: on, subject: `user:${principal.user}`, role, by: 'root' });
      return principal;
    },
  };
});

describe('P3.28 grants in Postgres', () => {
  test('P3.28 reach people, groups, the tenant, and whoever has the link', async () => {
    await give('user:alice', 'owner');
    await give('group:staff', 'editor');
    expect(await roleOf('alice')).toBe('owner');
    expect(await roleOf('bob', key, ['staff'])).toBe('editor');
    expect(await roleOf('bob', key, ['staffs'])).toBeUndefined();
    await give('tenant:*', 'viewer');
    expect(await roleOf('bob')).toBe('viewer');
    await give('link:*', 'commenter');
    expect(await roleOf('bob')).toBe('commenter');
  });

  test('P3.28 never reach another tenant', async () => {
    await give('tenant:*');
    await give('link:*');
    const stranger = person('alice', { tenant: `${tenant}x` });
    expect((await gate.resolve(stranger, key)).role).toBeUndefined();
    expect((await gate.resolve(stranger, documentKey(`${tenant}x`, 'plan'))).role).toBeUndefined();
    const claims = person('alice', { tenant: `${tenant}x`, grants: { '*': 'owner' } });
    expect((await gate.resolve(claims, key)).role).toBeUndefined();
  });

  test('P3.28 reach by the beginning of a name', async () => {
    await store.put({ tenant, pattern: 'notes/*', subject: 'user:alice', role: 'editor', by: 'root' });
    expect(await roleOf('alice', documentKey(tenant, 'notes/2026/α'))).toBe('editor');
    expect(await roleOf('alice', documentKey(tenant, 'notes'))).toBeUndefined();
    await store.put({ tenant, pattern: '*', subject: 'user:alice', role: 'viewer', by: 'root' });
    expect(await roleOf('alice', documentKey(tenant, 'notes'))).toBe('viewer');
  });

  test('P3.28 LIKE wildcards and regular expressions in names are only characters', async () => {
    for (const pattern of ['pl_n*', '%*', '.*', 'pla?*']) {
      await store.put({ tenant, pattern, subject: 'user:alice', role: 'owner', by: 'root' });
    }
    expect(await roleOf('alice')).toBeUndefined();
  });

  test('P3.28 add up with those of the token', async () => {
    await give('user:alice', 'viewer');
    const alice = { ...of('alice'), grants: { plan: 'editor' } };
    expect((await gate.resolve(alice, key)).role?.name).toBe('editor');
  });

  test('P3.28 end at their time, and the access says when', async () => {
    const expiresAt = Date.now() + 400;
    await store.put({ key, subject: 'user:alice', role: 'editor', expiresAt, by: 'root' });
    expect(await gate.resolve(of('alice'), key)).toMatchObject({ role: { name: 'editor' }, expiresAt });
    await until(async () => (await roleOf('alice')) === undefined);
    expect(Date.now()).toBeGreaterThanOrEqual(expiresAt - 5);
    expect(await store.list(key)).toEqual([]);
  });

  test('P3.28 are listed with who gave them', async () => {
    await give('user:alice', 'owner');
    await give('link:*', 'viewer');
    expect(await store.list(key)).toMatchObject([
      { subject: 'link:*', role: 'viewer', createdBy: 'root', pattern: 'plan', expiresAt: undefined },
      { subject: 'user:alice', role: 'owner' },
    ]);
  });

  test('P3.28 of another form are refused', async () => {
    expect(await code(give('alice'))).toBe('subject-invalid');
    expect(await code(give('user:alice', 'god'))).toBe('role-unknown');
    expect(await code(give('user:alice', 'constructor'))).toBe('role-unknown');
    for (const name of ['*', 'pl*']) {
      expect(await code(give('user:alice', 'owner', documentKey(tenant, name)))).toBe('name-invalid');
    }
    for (const expiresAt of [Date.now() - 1, NaN, Infinity]) {
      const past = store.put({ key, subject: 'user:a', role: 'viewer', expiresAt, by: 'root' });
      expect(await code(past)).toBe('bad-request');
    }
    expect(await store.list(key)).toEqual([]);
  });

  test('P3.28 are gone with their document: the next of that name begins with none', async () => {
    await give('user:alice', 'owner');
    await store.removeAll(key);
    expect(await roleOf('alice')).toBeUndefined();
  });

  test('P3.28 show people what they may read, but not what only a link opens', async () => {
    await give('user:alice', 'owner');
    await store.put({ tenant, pattern: 'n*', subject: 'group:staff', role: 'viewer', by: 'root' });
    await give('link:*', 'viewer', documentKey(tenant, 'secret'));
    const visible = await gate.visible({
      ...of('alice', ['staff']),
      grants: { 'x*': 'viewer', plan: 'viewer' },
    });
    expect(visible.map(({ pattern, role }) => [pattern, role.name]).sort()).toEqual([
      ['n*', 'viewer'],
      ['plan', 'owner'],
      ['x*', 'viewer'],
    ]);
  });
});

describe('P3.12 roles of a tenant', () => {
  const tenantRoles = () => new TenantRoles({ pool, roles });
  const drafter: Role = { name: 'drafter', read: true, presence: false, write: ['draft'], manage: false };

  test('P3.12 are named, with the built-in ones, to whoever asks for one that does not exist', async () => {
    await tenantRoles().put(tenant, drafter, 'root');
    await tenantRoles().put(`${tenant}x`, { ...drafter, name: 'secretary' }, 'root');
    await expect(give('user:alice', 'drafted')).rejects.toMatchObject({
      code: 'role-unknown',
      data: { roles: ['viewer', 'commenter', 'editor', 'owner', 'drafter'] },
    });
  });

  test('P3.12 are used, changed and removed, each with a new revision', async () => {
    expect(await code(give('user:alice', 'drafter'))).toBe('role-unknown');
    await tenantRoles().put(tenant, drafter, 'root');
    await give('user:alice', 'drafter');
    const first = await gate.resolve(of('alice'), key);
    expect(first.role).toEqual(drafter);
    await tenantRoles().put(tenant, { ...drafter, write: '*' }, 'root');
    const second = await gate.resolve(of('alice'), key);
    expect(second.role?.write).toBe('*');
    expect(second.policyRev).toBeGreaterThan(first.policyRev);
    await tenantRoles().remove(tenant, 'drafter');
    const third = await gate.resolve(of('alice'), key);
    expect(third.role).toBeUndefined();
    expect(third.policyRev).toBeGreaterThan(second.policyRev);
  });

  test('P3.12 are of that tenant alone, and redefine nothing built in', async () => {
    await tenantRoles().put(tenant, drafter, 'root');
    await createDocument(pool, documentKey(`${tenant}x`, 'plan'));
    expect(await code(give('user:a', 'drafter', documentKey(`${tenant}x`, 'plan')))).toBe('role-unknown');
    for (const bad of [{ name: 'owner' }, { name: '' }, { write: ['\0'] }]) {
      expect(await code(tenantRoles().put(tenant, { ...drafter, ...bad }, 'root'))).toBe('bad-request');
    }
    expect(await tenantRoles().list(tenant)).toEqual([drafter]);
  });

  test('P3.12 only what a tenant defined can be removed', async () => {
    expect(await code(tenantRoles().remove(tenant, 'owner'))).toBe('bad-request');
    expect(await tenantRoles().remove(tenant, 'drafter')).toBe(false);
  });

  test('P4.13 given by a token, they change and go with the revision, for one query', async () => {
    const alice = person('alice', { tenant, grants: { 'p*': 'drafter', plan: 'nobody' } });
    await tenantRoles().put(`${tenant}x`, { ...drafter, write: '*' }, 'root');
    expect((await gate.resolve(alice, key)).role).toBeUndefined();
    await tenantRoles().put(tenant, drafter, 'root');
    const asked = vi.spyOn(pool, 'query');
    onTestFinished(() => asked.mockRestore());
    const first = await gate.resolve(alice, key);
    expect(asked).toHaveBeenCalledTimes(1);
    expect(first.role).toEqual(drafter);
    await tenantRoles().put(tenant, { ...drafter, write: [] }, 'root');
    const second = await gate.resolve(alice, key);
    expect(second.role?.write).toEqual([]);
    expect(second.policyRev).toBeGreaterThan(first.policyRev);
    await tenantRoles().remove(tenant, 'drafter');
    const third = await gate.resolve(alice, key);
    expect(third.role).toBeUndefined();
    expect(third.policyRev).toBeGreaterThan(second.policyRev);
  });

  test('P4.13 given by a token, they add up with grants, whose roles are no less', async () => {
    await tenantRoles().put(tenant, drafter, 'root');
    await give('user:alice', 'commenter');
    const alice = person('alice', { tenant, grants: { plan: 'drafter' } });
    expect((await gate.resolve(alice, key)).role).toMatchObject({ write: ['comments', 'draft'] });
    expect((await gate.visible(alice)).map(({ pattern }) => pattern)).toEqual(['plan']);
    expect((await gate.resolve(of('alice'), key)).role?.name).toBe('commenter');
  });
});

describe('P3.27 a document keeps an owner', () => {
  test('P3.27 the last is neither removed, demoted, nor given an end', async () => {
    await give('user:alice', 'owner');
    await give('user:bob', 'editor');
    await store.put({
      key,
      subject: 'user:carol',
      role: 'owner',
      expiresAt: Date.now() + 60_000,
      by: 'root',
    });
    expect(await code(store.remove({ key, subject: 'user:alice' }))).toBe('last-owner');
    expect(await code(give('user:alice', 'editor'))).toBe('last-owner');
    const timed = { key, subject: 'user:alice', role: 'owner', expiresAt: Date.now() + 60_000, by: 'root' };
    expect(await code(store.put(timed))).toBe('last-owner');
    expect(await roleOf('alice')).toBe('owner');
    await give('user:bob', 'owner');
    expect(await store.remove({ key, subject: 'user:alice' })).toBe(true);
    expect(await store.remove({ key, subject: 'user:alice' })).toBe(false);
  });

  test('P3.27 also when two owners remove each other at the same moment', async () => {
    for (let round = 0; round < 20; round++) {
      const document = documentKey(tenant, `both${round}`);
      // Half of the documents have no row whose lock would put the two in order.
      if (round % 2) await createDocument(pool, document);
      await give('user:alice', 'owner', document);
      await give('user:bob', 'owner', document);
      const outcomes = await Promise.all([
        code(store.remove({ key: document, subject: 'user:alice' })),
        code(give('user:bob', 'viewer', document)),
      ]);
      expect(outcomes.sort()).toEqual(['accepted', 'last-owner']);
      expect((await store.list(document)).filter(({ role }) => role === 'owner')).toHaveLength(1);
    }
  });

  test('P3.27 a refused change changes nothing, the revision neither', async () => {
    await give('user:alice', 'owner');
    const before = await gate.revisions([key]);
    await code(store.remove({ key, subject: 'user:alice' }));
    expect(await gate.revisions([key])).toEqual(before);
  });
});

describe('P4.3 a change and its revision are one', () => {
  test('P4.3 each change raises the revision of the documents it reaches, and of no other', async () => {
    const other = documentKey(tenant, 'other');
    await createDocument(pool, other);
    const revisions = async () => [
      ...(await gate.revisions([key, other, documentKey(tenant, 'none')])).values(),
    ];
    const [planRev = 0, otherRev = 0] = await revisions();
    await give('user:alice');
    expect(await revisions()).toEqual([planRev + 1, otherRev, 0]);
    await store.put({ tenant, pattern: 'o*', subject: 'user:alice', role: 'viewer', by: 'root' });
    expect(await revisions()).toEqual([planRev + 1, otherRev + 1, 0]);
    await store.remove({ tenant, pattern: 'o*', subject: 'user:alice' });
    expect(await revisions()).toEqual([planRev + 1, otherRev + 2, 0]);
  });

  test('P4.3 in the transaction of whoever asks, and gone with it', async () => {
    const client = await pool.connect();
    await client.query('BEGIN');
    await store.put({ key, subject: 'user:alice', role: 'owner', by: 'alice' }, client);
    expect(await roleOf('alice')).toBeUndefined();
    await client.query('ROLLBACK');
    client.release();
    expect(await roleOf('alice')).toBeUndefined();
  });

  test('P4.3 the revision is read in the same moment as the grants', async () => {
    const { rows } = await pool.query<{ provolatile: string }>(
      "SELECT provolatile FROM pg_proc WHERE proname = 'weft_policy_revision'",
    );
    // A volatile function would see what was committed after the statement began.
    expect(rows).toEqual([{ provolatile: 's' }]);
  });

  test('P4.3 whoever resolves while rights go back and forth never has the rights of another revision', async () => {
    await give('user:root', 'owner');
    const held = new Map<number, boolean>([[(await gate.resolve(of('alice'), key)).policyRev, false]]);
    let writing = true;
    const writer = (async () => {
      for (let n = 0; n < 60; n++) {
        if (n % 2) await store.remove({ key, subject: 'user:alice' });
        else await give('user:alice');
      }
      writing = false;
    })();
    const base = [...held.keys()][0] ?? 0;
    let seen = 0;
    while (writing) {
      const { role, policyRev } = await gate.resolve(of('alice'), key);
      // The first change gives, the second takes: odd distances from the base have the right.
      expect(role !== undefined).toBe((policyRev - base) % 2 === 1);
      seen += 1;
    }
    await writer;
    expect(seen).toBeGreaterThan(5);
  });

  test.each(['new*', 'new-document'])(
    'P4.3 a change for %s reaches a document that is made at the same moment',
    async (pattern) => {
      const made = documentKey(tenant, 'new-document');
      const bobs = { tenant, pattern, subject: 'user:bob' };
      await store.put({ ...bobs, role: 'editor', by: 'root' });
      const [making, revoking] = [await pool.connect(), await pool.connect()];
      await making.query('BEGIN');
      await making.query("INSERT INTO documents (tenant, name, created_by) VALUES ($1, $2, 'test')", [
        tenant,
        nameOf(made),
      ]);
      await revoking.query('BEGIN');
      let removed = false;
      const removing = store.remove(bobs, revoking).then(() => (removed = true));
      await until(async () => removed || (await isWaiting(revoking)), { what: 'the change to wait' });
      await making.query('COMMIT');
      await removing;
      // The new document can be opened, and the revocation is not committed yet.
      const before = await gate.resolve(of('bob'), made);
      expect(before.role?.name).toBe('editor');
      await revoking.query('COMMIT');
      const after = await gate.resolve(of('bob'), made);
      expect(after.role).toBeUndefined();
      expect(after.policyRev).toBeGreaterThan(before.policyRev);
      making.release();
      revoking.release();
    },
  );

  test.each(['new*', 'new-document'])(
    'P4.3 a document is not made while a change for %s is on its way, and others are',
    async (pattern) => {
      const revoking = await pool.connect();
      await revoking.query('BEGIN');
      await store.put({ tenant, pattern, subject: 'user:bob', role: 'editor', by: 'root' }, revoking);
      let made = false;
      const making = createDocument(pool, documentKey(tenant, 'new-document')).then(() => (made = true));
      await createDocument(pool, documentKey(`${tenant}-other`, 'new-document'));
      expect(made).toBe(false);
      await revoking.query('COMMIT');
      revoking.release();
      await making;
    },
  );

  test('P4.1 an update that was allowed before a revocation is not appended after it', async () => {
    await give('user:root', 'owner');
    await give('user:alice');
    const { policyRev } = await gate.resolve(of('alice'), key);
    const { rows } = await pool.query<{ id: string; epoch: string; head: string }>(
      'SELECT id, epoch, head FROM documents WHERE tenant = $1 AND name = $2',
      [tenantOf(key), nameOf(key)],
    );
    const [{ id, epoch, head } = { id: '', epoch: '', head: '' }] = rows;
    const append = async () => {
      const result = await pool.query<{ outcome: string }>(
        `SELECT outcome FROM weft_append(ARRAY[$1::bigint], ARRAY[$2::bigint], ARRAY[$3::bigint], ARRAY[$4::bigint],
           ARRAY[gen_random_uuid()], ARRAY[1], ARRAY[2::bigint], ARRAY[1], ARRAY[1], ARRAY[1], ARRAY[2],
           ARRAY['edit'], ARRAY['alice'], ARRAY['s'], 'i', '\\x0000'::bytea)`,
        [id, epoch, head, policyRev],
      );
      return result.rows[0]?.outcome;
    };
    const revoke = await pool.connect();
    await revoke.query('BEGIN');
    await store.remove({ key, subject: 'user:alice' }, revoke);
    // The append meets the revocation half-way: it waits for its commit, and then is stale.
    const appended = append();
    await lockAwaited(pool);
    await revoke.query('COMMIT');
    revoke.release();
    expect(await appended).toBe('stale');
  });
});

describe('P4.2 changes are told', () => {
  test('P4.2 to every gate that watches, until it stops', async () => {
    const listener = await pool.connect();
    const watching = new Gate({
      sources: [
        new PostgresGrantSource({
          pool,
          roles,
          notifications: {
            listen: async (channel, onPayload) => {
              listener.on('notification', ({ payload }) => onPayload(payload ?? ''));
              await listener.query(`LISTEN ${channel}`);
              return async () => {
                await listener.query(`UNLISTEN ${channel}`);
              };
            },
          },
        }),
      ],
    });
    await watching.start();
    const told: string[] = [];
    const unsubscribe = watching.watch(({ tenant: of, pattern }) => told.push(`${of}/${pattern}`));
    watching.watch(() => {
      throw new Error('one listener that fails must not hide the change from the next');
    });
    await give('user:alice');
    await store.put({ tenant, pattern: 'a/*', subject: 'user:alice', role: 'viewer', by: 'root' });
    await until(() => told.length === 2);
    expect(told).toEqual([`${tenant}/plan`, `${tenant}/a/*`]);
    unsubscribe();
    await watching.stop();
    listener.release(true);
  });

  test('P4.5 a source that fails makes the answer no, whatever the others say', async () => {
    const failing = new Gate({
      sources: [
        new TokenGrantSource({ roles }),
        { resolve: () => Promise.reject(new Error('connection refused')) },
      ],
    });
    const alice = person('alice', { tenant, grants: { '*': 'owner' } });
    expect(await code(failing.resolve(alice, key))).toBe('permissions-unavailable');
  });
});

describe('P7.31 what an owner or administrator makes is bounded', () => {
  const fill = (count: number) =>
    pool.query(
      `INSERT INTO grants (tenant, pattern, subject, role, created_by)
       SELECT $1, 'plan', 'user:' || n, 'viewer', 'root' FROM generate_series(1, $2) n`,
      [tenant, count],
    );

  test('P7.31 the grants of a document: one more is refused, another for the same subject is not', async () => {
    await give('user:olga', 'owner');
    await fill(4_999);
    expect(await code(give('user:more'))).toBe('too-many-grants');
    expect(await code(give('user:7'))).toBe('accepted');
    expect(await code(give('user:more', 'viewer', documentKey(tenant, 'other')))).toBe('accepted');
    await store.remove({ key, subject: 'user:8' });
    expect(await code(give('user:more'))).toBe('accepted');
    expect(await store.list(key)).toHaveLength(5_000);
  });

  test('P7.31 grants that have expired make room', async () => {
    await fill(5_000);
    await pool.query("UPDATE grants SET expires_at = now() WHERE tenant = $1 AND subject = 'user:7'", [
      tenant,
    ]);
    expect(await code(give('user:more'))).toBe('accepted');
    expect(await code(give('user:most'))).toBe('too-many-grants');
  });

  test('P7.31 the roles of a tenant: one more is refused, a new meaning of one is not', async () => {
    await pool.query(
      `INSERT INTO roles (tenant, name, can_read, presence, writable, manage, created_by)
       SELECT $1, 'role' || n, true, true, NULL, false, 'root' FROM generate_series(1, 1000) n`,
      [tenant],
    );
    const tenantRoles = new TenantRoles({ pool, roles });
    const define = (name: string) => code(tenantRoles.put(tenant, { ...VIEWER, name }, 'root'));
    expect(await define('more')).toBe('too-many-roles');
    expect(await define('role7')).toBe('accepted');
    await tenantRoles.remove(tenant, 'role8');
    expect(await define('more')).toBe('accepted');
  });
});
