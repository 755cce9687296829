import { HocuspocusProvider, HocuspocusProviderWebsocket } from '@hocuspocus/provider';
import { once } from 'node:events';
import { request, type IncomingMessage } from 'node:http';
import { connect as connectTcp } from 'node:net';
import { text } from 'node:stream/consumers';
import { createDatabase, freePort, startPostgres, until } from '@weft/harness';
import pg from 'pg';
import { describe, expect, inject, onTestFinished, test } from 'vitest';
import { WebSocket } from 'ws';
import { compose } from './compose.ts';
import { loadConfig } from './config.ts';
import { start, type Compose, type RunningServer } from './lifecycle.ts';
import { startTestServer, type TestServer } from './testing/running-server.ts';

async function database(): Promise<string> {
  return createDatabase(inject('postgresUrl'));
}

async function serving(environment: Record<string, string>): Promise<TestServer> {
  const server = await startTestServer({ DATABASE_URL: await database(), ...environment });
  onTestFinished(() => server.remove());
  return server;
}

/** A stock client, with what its socket was closed with. */
function connect(server: TestServer, name: string) {
  const closed: number[] = [];
  const socket = new HocuspocusProviderWebsocket({
    url: `${server.url.replace('http', 'ws')}/collab`,
    WebSocketPolyfill: WebSocket,
    onClose: ({ event }) => void closed.push(event.code),
  });
  const provider = new HocuspocusProvider({
    websocketProvider: socket,
    name,
    token: server.token({ sub: 'alice', grants: { '*': 'owner' } }),
  });
  provider.attach();
  onTestFinished(() => {
    provider.destroy();
    socket.destroy();
  });
  return { provider, closed };
}

/**
 * A client whose document has been there and saved to for a while: a permission that is new in the moment when the
 * database goes away cannot be checked, and then the answer is no.
 */
async function openedBefore(server: TestServer): Promise<ReturnType<typeof connect>> {
  await server.as({ sub: 'alice' })('PUT', '/v1/documents/notes');
  const client = connect(server, 'notes');
  await until(() => client.provider.synced);
  client.provider.document.getText('text').insert(0, 'before ');
  await until(() => !client.provider.hasUnsyncedChanges);
  return client;
}

/** What a page of another site gets whose name points to this machine. */
function rebound(port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const headers = { host: `evil.example:${port}`, 'content-type': 'application/json' };
    const asked = request({ host: '127.0.0.1', port, path: '/dev/token', method: 'POST', headers });
    asked.on('response', (answer) => {
      let body = '';
      answer.setEncoding('utf8');
      answer.on('data', (text: string) => (body += text));
      answer.on('end', () => resolve(body));
    });
    asked.on('error', reject);
    asked.end('{"sub":"alice"}');
  });
}

/** Whether a page of this origin gets a socket. */
function opens(server: TestServer, origin: string): Promise<boolean> {
  const socket = new WebSocket(`${server.url.replace('http', 'ws')}/collab`, { origin });
  return new Promise((resolve) => {
    socket.on('error', () => resolve(false));
    socket.on('open', () => {
      resolve(true);
      socket.close();
    });
  });
}

describe('starting', () => {
  test('P8.2 it listens before its services run, and answers that it is starting', async () => {
    const opened = Promise.withResolvers<void>();
    const slow: Compose = async (config, telemetry) => {
      const services = await compose(config, telemetry);
      return {
        ...services,
        start: async () => {
          await opened.promise;
          await services.start();
        },
      };
    };
    const port = await freePort();
    const config = loadConfig({
      environment: {
        PORT: String(port),
        DATABASE_URL: await database(),
        WEFT_LOG_LEVEL: 'silent',
        WEFT_WEB_ROOT: 'none',
      },
    });
    const starting = start(config, { compose: slow });
    const ask = async (path: string) => {
      const answer = await fetch(`http://127.0.0.1:${port}${path}`);
      return `${answer.status} ${await answer.text()}`;
    };
    await until(() => ask('/healthz'), { what: 'the listener' });
    expect(await ask('/readyz')).toMatch(/^503 .*"starting"/);
    expect(await ask('/v1/documents')).toMatch(/^503 .*"server-starting"/);
    opened.resolve();
    const server = await starting;
    onTestFinished(async () => void (await server.stop()));
    expect(await ask('/readyz')).toMatch(/^200 .*"ok"/);
  });

  test('P8.4 a port that is taken is an error, and leaves nothing open', async () => {
    const first = await serving({});
    const second = startTestServer({ DATABASE_URL: await database(), PORT: String(first.port) });
    await expect(second).rejects.toMatchObject({ code: 'EADDRINUSE' });
    expect((await first.ask('GET', '/readyz')).status).toBe(200);
  });

  test('P8.4 a service that cannot start is an error, and those that could are stopped', async () => {
    let stops = 0;
    const failing: Compose = async (config, telemetry) => {
      const services = await compose(config, telemetry);
      return {
        ...services,
        start: async () => {
          await services.start();
          throw new Error('one of them cannot');
        },
        stop: async () => {
          await services.stop();
          stops += 1;
        },
      };
    };
    const port = await freePort();
    const config = loadConfig({
      environment: { PORT: String(port), DATABASE_URL: await database(), WEFT_LOG_LEVEL: 'silent' },
    });
    await expect(start(config, { compose: failing })).rejects.toThrow('one of them cannot');
    expect(stops).toBe(1);
    await expect(fetch(`http://127.0.0.1:${port}/healthz`)).rejects.toThrow('fetch failed');
  });

  test('P8.4 tables that are behind are an error that says what to do', async () => {
    const behind = startTestServer({ DATABASE_URL: await database(), WEFT_AUTO_MIGRATE: 'no' });
    await expect(behind).rejects.toThrow('Run weft migrate');
  });
});

describe('development mode', () => {
  test('P3.10 hands out tokens to whoever asks, under a local name only', async () => {
    const server = await serving({ WEFT_JWT_SECRET: '' });
    const body = { sub: 'alice', name: 'Alice', color: '#0ea5e9', groups: ['staff'], expiresIn: 60 };
    const answer = await server.ask('POST', '/dev/token', { body });
    const { token } = answer.body as { token: string };
    const headers = { authorization: `Bearer ${token}` };
    expect(await server.ask('PUT', '/v1/documents/mine', { headers })).toMatchObject({
      status: 201,
      body: { createdBy: 'alice', role: 'owner' },
    });
    const granted = await server.ask('POST', '/dev/token', {
      body: { sub: 'bob', grants: { mine: 'viewer' } },
    });
    const asBob = { authorization: `Bearer ${(granted.body as { token: string }).token}` };
    expect(await server.ask('GET', '/v1/documents/mine', { headers: asBob })).toMatchObject({
      body: { role: 'viewer' },
    });
    expect(await server.ask('POST', '/dev/token', { body: { sub: 'a', admin: true } })).toMatchObject({
      code: 'bad-request',
    });
    expect(await rebound(server.port)).toContain('origin-forbidden');
  });

  test('P9.11 lets pages of this machine in, such as those of a development server, and no others', async () => {
    const server = await serving({ WEFT_JWT_SECRET: '' });
    const from = async (origin: string) => {
      const headers = { origin, 'content-type': 'application/json' };
      const answer = await fetch(`${server.url}/dev/token`, {
        method: 'POST',
        headers,
        body: '{"sub":"alice"}',
      });
      const allowed = answer.headers.get('access-control-allow-origin') === origin;
      return { allowed, opened: await opens(server, origin) };
    };
    expect(await from('http://localhost:5173')).toEqual({ allowed: true, opened: true });
    expect(await from('https://evil.example')).toEqual({ allowed: false, opened: false });
    const evil = { origin: 'https://evil.example', connection: 'Upgrade', upgrade: 'websocket' };
    const refused = request({ host: '127.0.0.1', port: server.port, path: '/collab', headers: evil }).end();
    const [answer] = (await once(refused, 'response')) as [IncomingMessage];
    expect(answer.statusCode).toBe(403);
    expect(await text(answer)).toContain('WEFT_ALLOWED_ORIGINS');
  });
});

describe('stopping', () => {
  test('P8.1 clients are closed with a retryable code, and what they wrote is saved', async () => {
    const DATABASE_URL = await database();
    const server = await startTestServer({ DATABASE_URL });
    const { provider, closed } = connect(server, 'notes');
    await until(() => provider.synced);
    provider.document.getText('text').insert(0, 'written just before the end');
    await until(() => !provider.hasUnsyncedChanges);
    expect(await server.stop()).toBe(true);
    await until(() => closed.length > 0);
    expect(closed[0]).toBe(4500);

    const next = await serving({ DATABASE_URL });
    const again = connect(next, 'notes');
    await until(() => again.provider.synced);
    expect(again.provider.document.getText('text').toJSON()).toBe('written just before the end');
  });

  test('P8.1 it ends in time although its database does not answer', async () => {
    const postgres = await startPostgres();
    onTestFinished(() => postgres.remove());
    const server = await startTestServer({
      DATABASE_URL: postgres.url,
      WEFT_SHUTDOWN_TIMEOUT: '2s',
      WEFT_DATABASE_CONNECT_TIMEOUT: '500ms',
    });
    const [{ provider }, other] = [await openedBefore(server), connect(server, 'notes')];
    // Shown to each other, so nothing about either is still to be written down.
    await until(() => [provider, other.provider].every(({ awareness }) => awareness?.getStates().size === 2));
    await postgres.stop('SIGINT');
    provider.document.getText('text').insert(0, 'never acknowledged');
    const shown = () => other.provider.document.getText('text').toJSON().includes('never');
    await until(shown, { what: 'the edit to be shown' });
    const began = performance.now();
    expect(await server.stop()).toBe(false);
    expect(performance.now() - began).toBeLessThan(4_000);
    expect(provider.hasUnsyncedChanges).toBe(true);
  });

  test('P8.1 a request that is sent slowly does not keep it from stopping', async () => {
    const server = await startTestServer({ DATABASE_URL: await database(), WEFT_SHUTDOWN_TIMEOUT: '3s' });
    const slow = connectTcp(server.port, '127.0.0.1');
    onTestFinished(() => void slow.destroy());
    slow.on('error', () => undefined);
    const head = `host: localhost\r\nauthorization: Bearer ${server.token({ sub: 'eve' })}`;
    slow.write(`PUT /v1/documents/slow HTTP/1.1\r\n${head}\r\ncontent-length: 100\r\n\r\n{`);
    await until(() => server.ask('GET', '/healthz'), { what: 'the server to have read it' });
    expect(await server.stop()).toBe(true);
  });

  test('P8.1 stopping twice is stopping once', async () => {
    const server: RunningServer = await startTestServer({ DATABASE_URL: await database() });
    expect(await Promise.all([server.stop(), server.stop()])).toEqual([true, true]);
  });
});

describe('the database away', () => {
  test('P1.16 it stays ready, says degraded, and answers the API with a retryable code', async () => {
    const postgres = await startPostgres();
    onTestFinished(() => postgres.remove());
    const server = await serving({ DATABASE_URL: postgres.url });
    const alice = server.as({ sub: 'alice' });
    const { provider } = await openedBefore(server);
    await postgres.stop('SIGINT');
    const degraded = async () =>
      JSON.stringify((await server.ask('GET', '/readyz')).body).includes('degraded');
    await until(degraded, { what: 'the report, before anybody writes' });
    provider.document.getText('text').insert(0, 'kept');
    expect((await server.ask('GET', '/readyz')).status).toBe(200);
    const refused = await alice('GET', '/v1/documents/notes/updates');
    expect(refused.status).toBe(503);
    expect(refused.headers.get('retry-after')).toBe('1');
    expect(provider.hasUnsyncedChanges).toBe(true);
    await postgres.start();
    await until(() => !provider.hasUnsyncedChanges, { timeout: 20_000, what: 'the edit to be saved' });
    await until(async () => !(await degraded()), { timeout: 20_000, what: 'the end of the report' });
  });

  test('P1.16 of a database that answers and takes nothing it says why', async () => {
    const DATABASE_URL = await database();
    const server = await serving({ DATABASE_URL });
    const { provider } = await openedBefore(server);
    const operator = new pg.Client({ connectionString: DATABASE_URL });
    await operator.connect();
    onTestFinished(() => operator.end());
    const takeWrites = async (mode: 'on' | 'off') => {
      const name = pg.escapeIdentifier(new URL(DATABASE_URL).pathname.slice(1));
      await operator.query(`ALTER DATABASE ${name} SET default_transaction_read_only = ${mode}`);
      await operator.query(
        'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()',
      );
    };
    await takeWrites('on');
    provider.document.getText('text').insert(0, 'kept');
    const says = async (words: string) =>
      JSON.stringify((await server.ask('GET', '/readyz')).body).includes(words);
    await until(() => says('the database takes no writes'), { timeout: 20_000, what: 'the reason' });
    await takeWrites('off');
    await until(() => !provider.hasUnsyncedChanges, { timeout: 20_000, what: 'the edit to be saved' });
    await until(() => says('"status":"ok"'), { timeout: 20_000, what: 'the end of the report' });
  });
});
