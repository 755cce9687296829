import { once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { constants } from 'node:os';
import { createDatabase, freePort, TEST_SECRET, TestProcess, until } from '@weft/harness';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, inject, onTestFinished, test } from 'vitest';

const MAIN = new URL('../main.ts', import.meta.url).pathname;

function weft(args: readonly string[], env: Record<string, string>): TestProcess {
  const { PATH, NODE_COMPILE_CACHE } = process.env;
  const started = new TestProcess('weft', process.execPath, ['--conditions=weft-source', MAIN, ...args], {
    env: { PATH, NODE_COMPILE_CACHE, ...env },
  });
  onTestFinished(async () => void (await started.end('SIGKILL')));
  return started;
}

async function ended(args: readonly string[], env: Record<string, string>) {
  const started = weft(args, env);
  await until(() => !started.running, { timeout: 60_000, what: `weft ${args.join(' ')} to end` });
  return { code: started.child.exitCode, output: started.output };
}

describe('P10.3 weft migrate', { timeout: 120_000 }, () => {
  test('P10.3 says what is missing, makes it, once, and needs no key for tokens', async () => {
    const env = { DATABASE_URL: await createDatabase(inject('postgresUrl')), NODE_ENV: 'production' };
    expect(await ended(['migrate', '--check'], env)).toMatchObject({ code: 1 });
    expect((await ended(['migrate'], env)).output).toContain('Ran ');
    expect((await ended(['migrate'], env)).output).toContain('up to date');
    expect(await ended(['migrate', '--check'], env)).toMatchObject({ code: 0 });
  });
});

describe('P8.5 tables of a newer program', { timeout: 120_000 }, () => {
  test('P8.5 are left alone by an older one, which says so, also where it would migrate by itself', async () => {
    const databaseUrl = await createDatabase(inject('postgresUrl'));
    const env = { DATABASE_URL: databaseUrl, WEFT_AUTO_MIGRATE: 'yes' };
    await ended(['migrate'], env);
    const database = new pg.Client({ connectionString: databaseUrl });
    await database.connect();
    onTestFinished(() => database.end());
    await database.query("INSERT INTO weft_migrations (name, run_on) VALUES ('9999_of_tomorrow', now())");
    for (const command of ['migrate', 'worker']) {
      expect(await ended([command], env)).toMatchObject({
        code: 1,
        output: expect.stringContaining('newer version of Weft') as string,
      });
    }
  });
});

describe('P10.3 weft renew-epochs', { timeout: 120_000 }, () => {
  test('P10.3 gives every document a new epoch, and does nothing to tables of another version', async () => {
    const databaseUrl = await createDatabase(inject('postgresUrl'));
    const env = { DATABASE_URL: databaseUrl, NODE_ENV: 'production' };
    expect(await ended(['renew-epochs'], env)).toMatchObject({
      code: 1,
      output: expect.stringContaining('weft migrate') as string,
    });
    await ended(['migrate'], env);
    const database = new pg.Client({ connectionString: databaseUrl });
    await database.connect();
    onTestFinished(() => database.end());
    await database.query(
      `INSERT INTO documents (tenant, name, created_by) SELECT 'acme', 'document ' || n, 'ada' FROM generate_series(1, 3) n`,
    );
    const epochs = async () =>
      (await database.query<{ epoch: string }>('SELECT epoch FROM documents ORDER BY id')).rows.map(
        ({ epoch }) => Number(epoch),
      );
    const before = await epochs();
    expect(await ended(['renew-epochs'], env)).toMatchObject({
      code: 0,
      output: expect.stringContaining('new epoch: 3') as string,
    });
    const after = await epochs();
    expect(after.every((epoch, index) => epoch > (before[index] ?? Infinity))).toBe(true);
  });
});

describe('P10.3 weft worker', { timeout: 120_000 }, () => {
  test('P10.3 does not run on tables that are behind, and ends with 0 on SIGTERM', async () => {
    const env = { DATABASE_URL: await createDatabase(inject('postgresUrl')), NODE_ENV: 'production' };
    const behind = await ended(['worker'], env);
    expect(behind.code).toBe(1);
    expect(behind.output).toContain('Run weft migrate');
    await ended(['migrate'], env);
    const worker = weft(['worker'], env);
    await until(() => worker.output.includes('is compacting'), { timeout: 60_000 });
    expect(await worker.end('SIGTERM')).toBe(0);
  });

  test('P10.3 tells at a port of its own that it is alive, and what it has done, to who may know', async () => {
    const port = await freePort();
    const env = {
      DATABASE_URL: await createDatabase(inject('postgresUrl')),
      WEFT_METRICS_TOKEN: 'only for Prometheus',
      WEFT_COMPACTION_INTERVAL: '100ms',
      WEFT_WORKER_PORT: String(port),
    };
    const worker = weft(['worker'], env);
    await until(() => worker.output.includes('is compacting'), { timeout: 60_000 });
    const ask = (path: string, headers: Record<string, string> = {}) =>
      fetch(`http://127.0.0.1:${port}${path}`, { headers });
    expect(await (await ask('/healthz')).json()).toEqual({ status: 'ok' });
    expect(await (await ask('/readyz')).json()).toMatchObject({
      status: 'ok',
      checks: { compaction: {}, housekeeping: {} },
    });
    expect((await ask('/metrics')).status).toBe(401);
    expect((await ask('/v1/documents')).status).toBe(404);
    await until(async () => {
      const answer = await ask('/metrics', { authorization: 'Bearer only for Prometheus' });
      return /^weft_compaction_rounds_total\{.*result="ok".*\} [1-9]/m.test(await answer.text());
    });
    expect(await worker.end('SIGTERM')).toBe(0);
  });
});

describe('P8.13 a signal while it starts', { timeout: 60_000 }, () => {
  // Takes connections, and never says a word.
  const silent = createServer();
  beforeAll(() => once(silent.listen(0, '127.0.0.1'), 'listening'));
  afterAll(() => silent.close());

  test.each(['serve', 'worker', 'migrate'])('P8.13 ends weft %s at once', async (command) => {
    const { port } = silent.address() as AddressInfo;
    const connected = once(silent, 'connection') as Promise<[Socket]>;
    const program = weft([command], {
      DATABASE_URL: `postgres://nobody@127.0.0.1:${port}/nothing`,
      PORT: String(await freePort()),
      WEFT_JWT_SECRET: TEST_SECRET,
    });
    const [socket] = await connected;
    // Handled: the first process of a container is not ended by a signal that it leaves to the system.
    expect(await program.end('SIGTERM')).toBe(128 + constants.signals.SIGTERM);
    socket.destroy();
  });
});
