import { documentKey, noMetrics, silentLogger, systemClock, WeftError } from '@weft/common';
import { createDatabase } from '@weft/harness';
import { migrate, openDatabase, type Database } from '@weft/postgres';
import { DocumentStore, migrationsDirectory, UpdateLog } from '@weft/update-log';
import { afterAll, beforeAll, beforeEach, expect, inject, test } from 'vitest';
import { GatewayMetrics } from '../gateway-metrics.ts';
import type { DocumentPorts } from './live-document.ts';
import { LiveDocuments, type LiveDocumentsPorts } from './live-documents.ts';

const key = documentKey('acme', 'cloth');

let database: Database;
let log: UpdateLog;
/** What reading the bindings of client ids waits for, or fails with. */
let bindings: () => Promise<void>;
let documents: LiveDocuments;

beforeAll(async () => {
  const url = await createDatabase(inject('postgresUrl'));
  database = await openDatabase({ url, logger: silentLogger });
  await migrate({ pool: database.pool, directories: [migrationsDirectory], logger: silentLogger });
  await new DocumentStore().create(database.pool, { key, createdBy: 'ada' });
});
afterAll(() => database.close());

beforeEach(() => {
  log = new UpdateLog({ pool: database.pool, instance: 'test', logger: silentLogger });
  const document: DocumentPorts = {
    clock: systemClock,
    limits: { awarenessBytes: 1, documentBytes: 1, joinWindow: 1, joinWindowPerReceiver: 1 },
    metrics: new GatewayMetrics(noMetrics),
    bindings: { ownerOf: () => undefined },
    userHooks: { has: () => false },
    replication: { opened: () => undefined, committed: () => undefined, isShared: () => false },
    decideAgain: async () => [],
    discard: () => undefined,
  };
  const ports: LiveDocumentsPorts = {
    limits: { loadConcurrency: 1, loadQueue: 1, unloadDelay: 1 },
    logger: silentLogger,
    log,
    bindings: { load: () => bindings(), unload: () => undefined },
    replication: { join: async () => undefined, leave: () => undefined },
    hocuspocus: {
      documents: new Map(),
      openForServer: async () => undefined,
      unloadDocument: async () => undefined,
    },
    document,
  };
  documents = new LiveDocuments(ports);
});

test('P7.2 a document that could not be opened leaves nothing open in the log', async () => {
  bindings = async () => {
    await expect.poll(() => log.stats().openDocuments).toBe(1);
    throw new WeftError('permissions-unavailable');
  };
  await expect(documents.acquire(key)).rejects.toMatchObject({ code: 'permissions-unavailable' });
  await expect.poll(() => log.stats().openDocuments).toBe(0);
});

test('P7.2 nor does one that is given up while it is read', async () => {
  const reading = Promise.withResolvers<void>();
  bindings = () => reading.promise;
  const opening = documents.acquire(key);
  await expect.poll(() => log.stats().openDocuments).toBe(1);
  documents.end(key, 'document-deleted');
  reading.resolve();
  await opening;
  await expect.poll(() => log.stats().openDocuments).toBe(0);
});
