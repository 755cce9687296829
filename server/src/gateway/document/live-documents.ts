import type { ClientBindings } from '@weft/authorize';
import { WeftError, type DocumentKey, type ErrorCode, type Logger } from '@weft/common';
import { ConcurrencyGate } from '@weft/limits';
import type { UpdateLog } from '@weft/update-log';
import type { Document } from '@hocuspocus/server';
import type { GatewayLimits } from '../limits.ts';
import type { Replication } from './replication.ts';
import { LiveDocument, type DocumentPorts } from './live-document.ts';

interface Entry {
  readonly live: LiveDocument;
  readonly loaded: Promise<void>;
  /** Sessions and requests that use it. */
  holds: number;
  unloadTimer: NodeJS.Timeout | undefined;
  /** Set while it is being unloaded; whoever wants it waits and loads it anew. */
  unloading: Promise<void> | undefined;
}

/** Hocuspocus, which makes the Yjs documents and destroys them. */
export interface DocumentHost {
  readonly documents: Map<string, Document>;
  /** Makes the document without a connection; the registry of live documents keeps it open. */
  openForServer(key: DocumentKey): Promise<void>;
  unloadDocument(document: Document): Promise<unknown>;
}

export interface LiveDocumentsPorts {
  readonly limits: Pick<GatewayLimits, 'loadConcurrency' | 'loadQueue' | 'unloadDelay'>;
  readonly logger: Logger;
  readonly log: Pick<UpdateLog, 'open' | 'heads'>;
  readonly bindings: Pick<ClientBindings, 'load' | 'unload'>;
  readonly replication: Pick<Replication, 'join' | 'leave'>;
  readonly hocuspocus: DocumentHost;
  /** Of each document. */
  readonly document: DocumentPorts;
}

/**
 * The documents that are open on this instance. Loads and unloads of one name never overlap: a load in the middle
 * of an unload would be given the document that is being destroyed.
 */
export class LiveDocuments {
  private readonly ports: LiveDocumentsPorts;
  private readonly entries = new Map<DocumentKey, Entry>();
  private readonly loads: ConcurrencyGate;

  constructor(ports: LiveDocumentsPorts) {
    this.ports = ports;
    const { loadConcurrency, loadQueue } = ports.limits;
    this.loads = new ConcurrencyGate({
      concurrency: loadConcurrency,
      queue: loadQueue,
      refusal: 'load-busy',
    });
  }

  get size(): number {
    return this.entries.size;
  }

  get(key: DocumentKey): LiveDocument | undefined {
    return this.entries.get(key)?.live;
  }

  *all(): Iterable<LiveDocument> {
    for (const { live } of this.entries.values()) yield live;
  }

  /** Loads the document, once for all who ask at the same time. Every call is paired with {@link release}. */
  async acquire(key: DocumentKey): Promise<LiveDocument> {
    for (;;) {
      const entry = this.entries.get(key) ?? this.add(key);
      if (entry.unloading) {
        await entry.unloading;
        continue;
      }
      entry.holds += 1;
      clearTimeout(entry.unloadTimer);
      try {
        await entry.loaded;
        return entry.live;
      } catch (error) {
        entry.holds -= 1;
        throw error;
      }
    }
  }

  /**
   * The same for who has been told this revision of its permissions. Is it another than the one known here, then the
   * document may be another as well: deleted and made again elsewhere, of which nothing has been heard yet. Whoever may see
   * the one of now is shown nothing of the one before.
   */
  async acquireAt(key: DocumentKey, policyRev: number): Promise<LiveDocument> {
    for (;;) {
      const live = await this.acquire(key);
      try {
        if (live.ownPolicyRev !== policyRev) await this.confirm(live, policyRev);
        if (!live.discarded) return live;
      } catch (error) {
        this.release(live);
        throw error;
      }
      this.release(live);
    }
  }

  /** Whatever was told of its name is of this document if it is still there: the log gives up what it finds deleted. */
  private async confirm(live: LiveDocument, policyRev: number): Promise<void> {
    await this.ports.log.heads([live.log.id]);
    // An older one may be of an earlier document.
    live.ownPolicyRev = Math.max(policyRev, live.ownPolicyRev);
  }

  release(live: LiveDocument): void {
    const entry = this.entries.get(live.key);
    if (!entry || entry.live !== live) return;
    entry.holds -= 1;
    if (entry.holds === 0) this.unloadSoon(entry);
  }

  /** Runs `task` on a document that stays open meanwhile, whether anybody else has it open or not. */
  async use<T>(
    { key, policyRev }: { readonly key: DocumentKey; readonly policyRev: number },
    task: (live: LiveDocument) => Promise<T>,
  ): Promise<T> {
    const live = await this.acquireAt(key, policyRev);
    try {
      if (!live.isOpen) await this.ports.hocuspocus.openForServer(key);
      if (live.discarded) throw new WeftError('document-reload');
      return await task(live);
    } finally {
      this.release(live);
    }
  }

  private add(key: DocumentKey): Entry {
    const live = new LiveDocument(this.ports.document, key);
    const entry: Entry = {
      live,
      loaded: this.loads.run(() => this.load(live)),
      holds: 0,
      unloadTimer: undefined,
      unloading: undefined,
    };
    this.entries.set(key, entry);
    entry.loaded.catch(() => {
      if (this.entries.get(key) === entry) this.entries.delete(key);
    });
    return entry;
  }

  private async load(live: LiveDocument): Promise<void> {
    // Listening comes before reading: what is committed in between is then either read or heard.
    await this.ports.replication.join(live);
    const { log, bindings } = this.ports;
    const opening = log.open(live.key, live.logEvents);
    try {
      const [opened] = await Promise.all([opening, bindings.load(live.key)]);
      live.opened(opened);
    } catch (error) {
      this.forget(live);
      void opening.then((opened) => opened.close()).catch(() => undefined);
      throw error;
    }
    // Given up meanwhile, by who could not close what was not open yet.
    if (live.discarded) live.close();
  }

  /** Kept for a moment: a reload of the page, or a colleague's, finds it warm. */
  private unloadSoon(entry: Entry): void {
    clearTimeout(entry.unloadTimer);
    entry.unloadTimer = setTimeout(() => this.unload(entry), this.ports.limits.unloadDelay);
    entry.unloadTimer.unref();
  }

  private unload(entry: Entry): void {
    if (entry.holds > 0 || entry.unloading || entry.live.discarded) return;
    if (!entry.live.progress.complete) {
      // The database is away: what is not committed exists only here.
      this.unloadSoon(entry);
      return;
    }
    entry.unloading = this.close(entry)
      .catch((error: unknown) =>
        this.ports.logger.error({ err: error, document: entry.live.key }, 'a document could not be unloaded'),
      )
      .finally(() => (entry.unloading = undefined));
  }

  private async close(entry: Entry): Promise<void> {
    const { live } = entry;
    const { hocuspocus } = this.ports;
    const { made } = live;
    if (made) {
      await hocuspocus.unloadDocument(made);
      // Given up meanwhile: what bears its name by now is another.
      if (live.discarded) return;
      // Another extension keeps it, or a direct connection.
      if (hocuspocus.documents.get(live.key) === made) {
        this.unloadSoon(entry);
        return;
      }
    }
    this.entries.delete(live.key);
    this.forget(live);
    live.close();
  }

  private forget(live: LiveDocument): void {
    this.ports.replication.leave(live);
    // Another incarnation of the document may have them in use already.
    if (!this.entries.has(live.key)) this.ports.bindings.unload(live.key);
  }

  /** Whether Hocuspocus may unload: only what this registry has decided to. */
  mayUnload(key: DocumentKey): boolean {
    const entry = this.entries.get(key);
    return !entry || entry.unloading !== undefined;
  }

  /** Ends all sessions of a document, which has been deleted or is closed by an operator. */
  end(key: DocumentKey, code: ErrorCode): void {
    const live = this.get(key);
    if (!live) return;
    for (const session of [...live.sessions]) session.end(code);
    this.discard(live, new WeftError(code));
  }

  /**
   * Gives a document up: what is in memory is no longer what the log has. Its sessions are sent away to come back
   * to a document loaded anew.
   */
  discard(live: LiveDocument, error = new WeftError('document-reload')): void {
    const entry = this.entries.get(live.key);
    if (entry?.live === live) this.entries.delete(live.key);
    if (live.discarded) return;
    // That one was deleted is somebody's wish, and no trouble.
    const level = error.code === 'document-deleted' ? 'info' : 'warn';
    this.ports.logger[level](
      { document: live.key, code: error.code, detail: error.detail, err: error.cause },
      'gave up a document',
    );
    live.abandon(error);
    const { hocuspocus } = this.ports;
    const { made } = live;
    if (made && hocuspocus.documents.get(live.key) === made) hocuspocus.documents.delete(live.key);
    for (const session of [...live.sessions]) session.end(error.code);
    this.forget(live);
    live.close();
    made?.destroy();
  }
}
