import { Hocuspocus } from '@hocuspocus/server';
import { documentKey, silentLogger } from '@weft/common';
import {
  createDatabase,
  openSession,
  serveStock,
  startPostgres,
  until,
  type PostgresServer,
  type Session,
} from '@weft/harness';
import { migrate, openDatabase, type Database } from '@weft/postgres';
import * as Y from 'yjs';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import {
  UpdateLogExtension,
  holdAcknowledgements,
  migrationsDirectory,
  type DocumentMode,
} from '../index.ts';

interface StockServer {
  readonly url: string;
  readonly extension: UpdateLogExtension;
  readonly hocuspocus: Hocuspocus;
  stop(): Promise<void>;
}

/** What a user of a stock Hocuspocus writes: the extension, and one wrapper around the socket. */
async function startStockServer(database: Database, mode: DocumentMode): Promise<StockServer> {
  const extension = new UpdateLogExtension({
    pool: database.pool,
    mode,
    retryMaxMs: 200,
    stopTimeoutMs: 500,
    logger: silentLogger,
  });
  const hocuspocus = new Hocuspocus({
    quiet: true,
    extensions: [extension],
    onAuthenticate: async ({ token }) => ({ user: { id: token } }),
  });
  const { url, close } = await serveStock(hocuspocus, {
    wrap: (socket) => holdAcknowledgements(socket, extension),
  });
  return {
    url,
    extension,
    hocuspocus,
    stop: async () => {
      await close();
      await extension.onDestroy();
    },
  };
}

describe('a stock Hocuspocus with the update log', () => {
  let postgres: PostgresServer;
  let database: Database;
  let server: StockServer | undefined;
  const sessions: Session[] = [];

  beforeAll(async () => {
    postgres = await startPostgres();
    database = await openDatabase({ url: await createDatabase(postgres.url), logger: silentLogger });
    await migrate({ pool: database.pool, directories: [migrationsDirectory], logger: silentLogger });
  });
  afterEach(async () => {
    for (const session of sessions.splice(0)) session.close();
    await server?.stop();
  });
  afterAll(async () => {
    await database.close();
    await postgres.remove();
  });

  async function open(name: string, person: string, document = new Y.Doc()): Promise<Session> {
    const session = openSession({ url: server!.url, name, token: person, document });
    sessions.push(session);
    await session.opened();
    return session;
  }

  const rowsOf = async (name: string) =>
    (await server!.extension.log.readUpdates(documentKey('default', name))).rows;

  test.each(['live', 'strict'] as const)(
    'P1.1 P11.1 %s: acknowledged is in the log, with who wrote it',
    async (mode) => {
      server = await startStockServer(database, mode);
      const name = `stock-${mode}`;
      const [ada, bob] = [await open(name, 'ada'), await open(name, 'bob')];
      ada.text.insert(0, 'warp ');
      await ada.saved();
      await until(() => bob.text.toJSON() === 'warp ');
      bob.text.insert(5, 'weft');
      await bob.saved();
      const rows = await rowsOf(name);
      expect(rows.map(({ seq, actor }) => [seq, actor])).toEqual([
        [1, 'ada'],
        [2, 'bob'],
      ]);
      await until(() => ada.text.toJSON() === 'warp weft');
    },
  );

  test.each(['live', 'strict'] as const)(
    'P1.15 %s: a client that comes back writes nothing new',
    async (mode) => {
      server = await startStockServer(database, mode);
      const name = `again-${mode}`;
      const document = new Y.Doc();
      const first = await open(name, 'ada', document);
      first.text.insert(0, 'some text');
      first.text.delete(2, 3);
      await first.saved();
      first.close();
      const before = (await rowsOf(name)).length;
      await until(() => server!.hocuspocus.documents.size === 0);
      const second = await open(name, 'ada', document);
      await second.saved();
      expect(await rowsOf(name)).toHaveLength(before);
      second.text.insert(0, 'more ');
      await second.saved();
      expect(await rowsOf(name)).toHaveLength(before + 1);
    },
  );

  test.each(['live', 'strict'] as const)(
    'P1.5 %s: with Postgres away nothing is acknowledged, back it all is',
    async (mode) => {
      server = await startStockServer(database, mode);
      const name = `away-${mode}`;
      const [ada, bob] = [await open(name, 'ada'), await open(name, 'bob')];
      ada.text.insert(0, 'a');
      await ada.saved();
      await until(() => bob.text.toJSON() === 'a');
      await postgres.stop();
      ada.text.insert(1, 'b');
      ada.text.insert(2, 'c');
      await until(() => server!.extension.log.stats().degradedSince);
      if (mode === 'live') await until(() => bob.text.toJSON() === 'abc');
      else expect(bob.text.toJSON()).toBe('a');
      expect(ada.provider.hasUnsyncedChanges).toBe(true);
      await postgres.start();
      await ada.saved();
      await until(() => bob.text.toJSON() === 'abc');
      expect(await savedText(server, name)).toBe('abc');
    },
  );

  test('P2.12 a document whose log fails sends its clients away, and they come back to what is saved', async () => {
    server = await startStockServer(database, 'live');
    const ada = await open('poisoned', 'ada');
    ada.text.insert(0, 'saved');
    await ada.saved();
    // As after a restore: the log is shorter than the server has seen.
    await database.pool.query(
      "DELETE FROM document_updates WHERE document_id = (SELECT id FROM documents WHERE name = 'poisoned')",
    );
    await database.pool.query("UPDATE documents SET head = 0 WHERE name = 'poisoned'");
    ada.text.insert(5, ' and more');
    await until(() => ada.closes.length > 0);
    await ada.saved();
    expect(await savedText(server, 'poisoned')).toBe('saved and more');
  });
});

/** What the log alone makes of the text that sessions write in. */
async function savedText(server: StockServer, name: string): Promise<string> {
  const { update } = await server.extension.log.readState(documentKey('default', name));
  const document = new Y.Doc();
  Y.applyUpdate(document, update);
  return document.getText('body').toJSON();
}
