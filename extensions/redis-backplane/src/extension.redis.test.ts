import { Hocuspocus } from '@hocuspocus/server';
import { documentKey, silentLogger } from '@weft/common';
import {
  createDatabase,
  openSession,
  serveStock,
  startRedis,
  until,
  type RedisServer,
  type Session,
} from '@weft/harness';
import { migrate, openDatabase, type Database } from '@weft/postgres';
import { holdAcknowledgements, migrationsDirectory, UpdateLogExtension } from '@weft/update-log';
import { afterAll, afterEach, beforeAll, describe, expect, inject, test } from 'vitest';
import { RedisBackplaneExtension } from './extension.ts';

interface StockServer {
  readonly url: string;
  readonly log: UpdateLogExtension;
  readonly extension: RedisBackplaneExtension;
  readonly hocuspocus: Hocuspocus;
  stop(): Promise<void>;
}

/** What a user of a stock Hocuspocus writes: two extensions, and one wrapper around the socket. */
async function startStockServer(database: Database, redisUrl: string): Promise<StockServer> {
  const log = new UpdateLogExtension({ pool: database.pool, logger: silentLogger });
  const extension = new RedisBackplaneExtension({
    redis: { url: redisUrl },
    log,
    heartbeat: 100,
    silence: 400,
    interval: 60_000,
  });
  const hocuspocus = new Hocuspocus({
    quiet: true,
    extensions: [extension, log],
    onAuthenticate: async ({ token }) => ({ user: { id: token } }),
  });
  const { url, close } = await serveStock(hocuspocus, {
    wrap: (socket) => holdAcknowledgements(socket, log),
  });
  return {
    url,
    log,
    extension,
    hocuspocus,
    stop: async () => {
      await close();
      await extension.onDestroy();
      await log.onDestroy();
    },
  };
}

describe('P9.8 two stock Hocuspocus with the log and the backplane', () => {
  let database: Database;
  let redis: RedisServer;
  let servers: StockServer[] = [];
  const sessions: Session[] = [];

  beforeAll(async () => {
    redis = await startRedis();
    const url = await createDatabase(inject('postgresUrl'));
    database = await openDatabase({ url, logger: silentLogger });
    await migrate({ pool: database.pool, directories: [migrationsDirectory], logger: silentLogger });
  });
  afterEach(async () => {
    for (const session of sessions.splice(0)) session.close();
    await Promise.all(servers.splice(0).map((server) => server.stop()));
  });
  afterAll(async () => {
    await database.close();
    await redis.remove();
  });

  async function open(server: StockServer, name: string, person: string): Promise<Session> {
    const session = openSession({ url: server.url, name, token: person, user: { name: person } });
    sessions.push(session);
    await session.opened();
    return session;
  }

  async function pair(name: string) {
    servers = [await startStockServer(database, redis.url), await startStockServer(database, redis.url)];
    const [first, second] = servers as [StockServer, StockServer];
    await until(() => first.extension.backplane.connected && second.extension.backplane.connected);
    const ada = await open(first, name, 'ada');
    const bob = await open(second, name, 'bob');
    return { first, second, ada, bob };
  }

  const names = (session: Session) =>
    [...session.provider.awareness!.getStates().values()]
      .map((state) => (state['user'] as { name: string } | undefined)?.name)
      .sort();

  test('P9.8 people on both write together, see each other, and every row is logged once', async () => {
    const { first, ada, bob } = await pair('together');
    await until(() => names(ada).join() === 'ada,bob' && names(bob).join() === 'ada,bob');
    for (let i = 0; i < 20; i++) (i % 2 ? ada : bob).text.insert(0, String(i % 10));
    await Promise.all([ada.saved(), bob.saved()]);
    await until(() => ada.text.length === 20 && ada.text.toJSON() === bob.text.toJSON());
    const { rows } = await first.log.log.readUpdates(documentKey('default', 'together'));
    expect(rows.map(({ seq }) => seq)).toEqual(rows.map((_, index) => index + 1));
    expect(new Set(rows.map(({ actor }) => actor))).toEqual(new Set(['ada', 'bob']));
    bob.close();
    await until(() => names(ada).join() === 'ada', { timeout: 2000 });
  });

  test('P9.8 a stateless message reaches the clients of both', async () => {
    const { first, bob } = await pair('stateless');
    const received: string[] = [];
    bob.provider.on('stateless', ({ payload }: { payload: string }) => received.push(payload));
    await until(() => {
      first.hocuspocus.documents.get('stateless')!.broadcastStateless('hello');
      return received.length > 0;
    });
    expect(received[0]).toBe('hello');
  });

  test('P9.8 without Redis they go on through the log', async () => {
    const { first, second, ada, bob } = await pair('apart');
    await redis.stop('SIGKILL');
    await until(() => !first.extension.backplane.connected && !second.extension.backplane.connected);
    ada.text.insert(0, 'without ');
    await ada.saved();
    await until(() => bob.text.toJSON() === 'without ');
    await redis.start();
    await until(() => first.extension.backplane.connected && second.extension.backplane.connected);
    bob.text.insert(8, 'Redis');
    await until(() => ada.text.toJSON() === 'without Redis');
  });
});
