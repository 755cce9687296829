import { IndexeddbPersistence } from 'y-indexeddb';
import * as Y from 'yjs';
import type { Access } from './access.ts';
import { clocksOf, decodeClocks, encodeClocks, type Clocks } from './unsaved.ts';

/** What is kept beside the document. */
const ACCESS_KEY = 'access';
const SAVED_KEY = 'saved';
const CREATED_KEY = 'createdAt';
/** Each keystroke is saved once; remembering that it was may be coarser. */
const REMEMBER_MS = 1_000;

export interface LocalCopyOptions {
  readonly name: string;
  readonly doc: Y.Doc;
  /** The browser has no room, forbids it, or has cleared what there was. */
  readonly onLost: () => void;
}

/** The copy of a document in this browser, with the rights of the last visit and what of it is saved. */
export class LocalCopy {
  readonly name: string;
  readonly #doc: Y.Doc;
  readonly #persistence: IndexeddbPersistence;
  readonly #saved = new Map<number, number>();
  readonly #onLost: () => void;
  #isLost = false;
  #isLoaded = false;
  #createdAt: string | undefined;
  #remembering: ReturnType<typeof setTimeout> | undefined;

  constructor({ name, doc, onLost }: LocalCopyOptions) {
    this.name = name;
    this.#doc = doc;
    this.#onLost = onLost;
    this.#persistence = new IndexeddbPersistence(name, doc);
    this.#persistence._db.then(
      (db) => this.#watch(db),
      () => this.#lose(),
    );
  }

  /** Nothing more is kept on this device. */
  get isLost(): boolean {
    return this.#isLost;
  }

  /**
   * Resolves when the document holds the copy; with the rights of the last visit, if there was one.
   * @throws whatever the browser says where it has no database for the page
   */
  async load(): Promise<Access | undefined> {
    try {
      await this.#persistence._db;
      await this.#persistence.whenSynced;
      const keys = [ACCESS_KEY, SAVED_KEY, CREATED_KEY];
      const [access, saved, createdAt] = await Promise.all(keys.map((key) => this.#read(key)));
      for (const [client, clock] of decodeClocks(saved)) this.#markSavedUpTo(client, clock);
      if (typeof createdAt === 'string') this.#createdAt = createdAt;
      return typeof access === 'string' ? (JSON.parse(access) as Access) : undefined;
    } finally {
      this.#isLoaded = true;
    }
  }

  /**
   * Whether it is of the document that was made then, and not of one that had the name before. A copy that is not
   * bound to any yet is from now on; of one that is still being loaded it cannot be said.
   */
  isOf(createdAt: string): boolean {
    if (!this.#isLoaded) return true;
    if (this.#createdAt === undefined) {
      this.#createdAt = createdAt;
      this.#write(CREATED_KEY, createdAt);
    }
    return this.#createdAt === createdAt;
  }

  /** A state vector: what the server is known to have. */
  get saved(): Clocks {
    return this.#saved;
  }

  keepAccess(access: Access): void {
    this.#write(ACCESS_KEY, JSON.stringify(access));
  }

  /** The server has acknowledged everything that is in the document now. */
  markAllSaved(): void {
    for (const [client, clock] of clocksOf(this.#doc)) this.#markSavedUpTo(client, clock);
    this.#rememberSaved();
  }

  /** The server has sent this, so it has it: the work of others is nobody's unsaved text here. */
  markReceived(update: Uint8Array): void {
    for (const [client, clock] of Y.parseUpdateMeta(update).to) {
      // An echo of one's own change is not yet its acknowledgement.
      if (client !== this.#doc.clientID) this.#markSavedUpTo(client, clock);
    }
    this.#rememberSaved();
  }

  /** The database itself is closed with the document. */
  stop(): void {
    clearTimeout(this.#remembering);
  }

  /** Of a write that fails its maker hears nothing, and writing to a database that is closed throws at whoever edits. */
  #watch(db: IDBDatabase): void {
    for (const sign of ['abort', 'close', 'versionchange']) db.addEventListener(sign, () => this.#lose());
  }

  #lose(): void {
    if (this.#isLost) return;
    this.#isLost = true;
    this.#persistence.destroy().catch(() => undefined);
    this.#onLost();
  }

  #markSavedUpTo(client: number, clock: number): void {
    this.#saved.set(client, Math.max(clock, this.#saved.get(client) ?? 0));
  }

  #rememberSaved(): void {
    this.#remembering ??= setTimeout(() => {
      this.#remembering = undefined;
      this.#write(SAVED_KEY, encodeClocks(this.#saved));
    }, REMEMBER_MS);
  }

  #read(key: string): Promise<unknown> {
    return this.#persistence.get(key).catch(() => undefined);
  }

  /** Storage may be full or forbidden: the copy is then older, and nothing else. */
  #write(key: string, value: string): void {
    void this.#persistence.set(key, value).catch(() => undefined);
  }
}

/**
 * Two people who use one browser must never share a copy: what one may read, the other may not, and edits of
 * one must not be sent in the name of the other.
 */
export function localCopyName(user: string, document: string): string {
  return `weft:${encodeURIComponent(user)}:${encodeURIComponent(document)}`;
}

/**
 * Empties the stores instead of deleting the database: a deletion waits for every other tab that has it open,
 * and blocks all later opens meanwhile.
 */
export async function forgetLocalCopy(name: string): Promise<void> {
  const db = await openExisting(name);
  if (!db) return;
  try {
    const stores = [...db.objectStoreNames];
    if (stores.length === 0) return;
    await new Promise<void>((resolve, reject) => {
      const transaction = db.transaction(stores, 'readwrite');
      transaction.oncomplete = () => resolve();
      transaction.onabort = () =>
        reject(transaction.error ?? new Error('The local copy could not be cleared.'));
      for (const store of stores) transaction.objectStore(store).clear();
    });
  } finally {
    db.close();
  }
}

function openExisting(name: string): Promise<IDBDatabase | undefined> {
  return new Promise((resolve) => {
    const request = indexedDB.open(name);
    // Opening what does not exist would create it, empty and without stores.
    request.onupgradeneeded = () => request.transaction?.abort();
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => resolve(undefined);
  });
}
