import {
  documentKey,
  silentLogger,
  type CommittedUpdate,
  type DocumentKey,
  type WeftError,
} from '@weft/common';
import { createDatabase } from '@weft/harness';
import { migrate, openDatabase, type Database } from '@weft/postgres';
import * as Y from 'yjs';
import {
  DocumentStore,
  UpdateLog,
  migrationsDirectory,
  type AppendEntry,
  type DocumentLogEvents,
  type Reauthorization,
  type UpdateLogOptions,
} from '../index.ts';

export const store = new DocumentStore();

/** A database with the log's tables, on the server at `url`. */
export async function openTestDatabase(url: string): Promise<Database> {
  const database = await openDatabase({ url: await createDatabase(url), logger: silentLogger, poolSize: 20 });
  await migrate({ pool: database.pool, directories: [migrationsDirectory], logger: silentLogger });
  return database;
}

export function testLog(database: Database, options: Partial<UpdateLogOptions> = {}): UpdateLog {
  const { pool } = database;
  return new UpdateLog({ pool, instance: 'test', logger: silentLogger, retryMaxMs: 200, ...options });
}

let named = 0;

/** Its permissions have the revision 1, which the authors of tests write under. */
export async function newDocument(database: Database, name = `document-${++named}`): Promise<DocumentKey> {
  const key = documentKey('acme', name);
  const { id } = await store.create(database.pool, { key, createdBy: 'ada' });
  await database.pool.query('UPDATE documents SET policy_rev = 1 WHERE id = $1', [id]);
  return key;
}

/** Listens to a document's log and keeps what it is told. */
export class Recorder implements DocumentLogEvents {
  readonly rows: CommittedUpdate[] = [];
  readonly asked: { policyRev: number; entries: readonly AppendEntry[] }[] = [];
  through = 0;
  error: WeftError | undefined;
  /** What `reauthorize` answers for each entry. */
  answer: (entry: AppendEntry, policyRev: number) => Reauthorization = () => ({ verdict: 'commit' });

  committed(rows: readonly CommittedUpdate[], throughTicket: number): void {
    this.rows.push(...rows);
    this.through = throughTicket;
  }

  async reauthorize(policyRev: number, entries: readonly AppendEntry[]): Promise<readonly Reauthorization[]> {
    this.asked.push({ policyRev, entries });
    return entries.map((entry) => this.answer(entry, policyRev));
  }

  failed(error: WeftError): void {
    this.error = error;
  }
}

/** An author whose updates build on each other: number `n` inserts the text `<n>,`. */
export class Author {
  readonly doc = new Y.Doc();
  private count = 0;
  private readonly name: string;

  constructor(name: string) {
    this.name = name;
  }

  next(options: Partial<AppendEntry> = {}): AppendEntry {
    const updates: Uint8Array[] = [];
    const collect = (update: Uint8Array) => updates.push(update);
    this.doc.on('update', collect);
    this.doc.getArray<string>('edits').push([`${this.name}:${++this.count}`]);
    this.doc.off('update', collect);
    const update = Y.mergeUpdates(updates);
    return { update, actor: this.name, session: `${this.name}-1`, kind: 'edit', policyRev: 1, ...options };
  }
}

/** What all authors' edits read as, in the document that these updates make. */
export function editsOf(updates: readonly Uint8Array[]): string[] {
  const doc = new Y.Doc();
  for (const update of updates) Y.applyUpdate(doc, update);
  return doc.getArray<string>('edits').toArray();
}
