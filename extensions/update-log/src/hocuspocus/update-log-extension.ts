import type {
  Extension,
  afterUnloadDocumentPayload,
  beforeSyncPayload,
  beforeUnloadDocumentPayload,
  connectedPayload,
  onLoadDocumentPayload,
} from '@hocuspocus/server';
import {
  SyncType,
  WeftError,
  documentKey,
  silentLogger,
  type DocumentKey,
  type Logger,
  type LogWatcher,
  type Unsubscribe,
} from '@weft/common';
import type pg from 'pg';
import { DocumentStore } from '../document-store.ts';
import type { DocumentLog, DocumentMode } from '../types.ts';
import { UpdateLog, type UpdateLogOptions } from '../update-log.ts';
import { DocumentSession } from './document-session.ts';
import { noveltyOf } from './novelty.ts';
import { actorOfContext, connectionWriter, writerOf, type ActorOf } from './origin.ts';

export interface UpdateLogExtensionOptions extends Partial<UpdateLogOptions> {
  readonly pool: pg.Pool;
  /** For documents that are opened for the first time. */
  readonly mode?: DocumentMode;
  /** Whose edits a connection's are, from its context. */
  readonly actorOf?: ActorOf;
  /** All documents belong to it. */
  readonly tenant?: string;
  readonly logger?: Logger;
  /** Milliseconds to commit what is in flight when the server is destroyed. */
  readonly stopTimeoutMs?: number;
}

/**
 * The durable log as an extension of a stock Hocuspocus. Documents are loaded from the log, made when they are
 * opened for the first time, and every change is a row, with who made it. Acknowledgements wait for the log when
 * the socket is wrapped by {@link holdAcknowledgements}.
 */
export class UpdateLogExtension implements Extension {
  readonly log: UpdateLog;
  private readonly store = new DocumentStore();
  private readonly sessions = new Map<string, DocumentSession>();
  private readonly watchers = new Set<LogWatcher>();
  private readonly pool: pg.Pool;
  private readonly mode: DocumentMode;
  private readonly tenant: string;
  private readonly actorOf: ActorOf;
  private readonly logger: Logger;
  private readonly stopTimeoutMs: number;

  constructor({
    mode = 'live',
    tenant = 'default',
    actorOf = actorOfContext,
    logger = silentLogger,
    stopTimeoutMs = 10_000,
    ...log
  }: UpdateLogExtensionOptions) {
    this.pool = log.pool;
    this.mode = mode;
    this.tenant = tenant;
    this.actorOf = actorOf;
    this.logger = logger;
    this.stopTimeoutMs = stopTimeoutMs;
    this.log = new UpdateLog({ instance: 'hocuspocus', ...log, logger });
  }

  /** Resolves when everything that the document has seen is committed; rejects when it never will be. */
  async saved(documentName: string): Promise<void> {
    await this.sessions.get(documentName)?.saved();
  }

  watch(watcher: LogWatcher): Unsubscribe {
    this.watchers.add(watcher);
    return () => this.watchers.delete(watcher);
  }

  async onLoadDocument({ document, documentName, context }: onLoadDocumentPayload): Promise<void> {
    const session = new DocumentSession({
      document,
      logger: this.logger,
      writerOf: (origin) => writerOf(origin, this.actorOf),
      committed: (rows) => this.watchers.forEach((watcher) => watcher.committed(documentName, rows)),
    });
    const log = await this.open(documentKey(this.tenant, documentName), this.actorOf(context), session);
    session.attach(log);
    // A load that another extension failed leaves its session behind.
    await this.sessions.get(documentName)?.close();
    this.sessions.set(documentName, session);
    const { id, epoch, loaded } = log;
    const { seq, policyRev } = loaded;
    log.forgetLoaded();
    for (const watcher of this.watchers) watcher.opened(documentName, { id, epoch, seq, policyRev });
  }

  /** A document whose log has failed stays in memory until the last of its clients is gone: no new ones. */
  async connected({ documentName, connection }: connectedPayload): Promise<void> {
    const failure = this.sessions.get(documentName)?.failure;
    if (failure) connection.webSocket.close(failure.closeCode, failure.code);
  }

  /** Strict documents: commit before apply. Hocuspocus closes the connection when this rejects. */
  async beforeSync({ type, payload, document, documentName, connection }: beforeSyncPayload): Promise<void> {
    const session = this.sessions.get(documentName);
    if (!session?.strict || connection.readOnly || type === SyncType.Step1) return;
    await session.commitFirst(noveltyOf(payload, document), connectionWriter(connection, this.actorOf));
  }

  /** Hocuspocus keeps the document when this rejects; a failed one has nothing that could still be kept. */
  async beforeUnloadDocument({ documentName }: beforeUnloadDocumentPayload): Promise<void> {
    await this.saved(documentName).catch(() => undefined);
  }

  async afterUnloadDocument({ documentName }: afterUnloadDocumentPayload): Promise<void> {
    const session = this.sessions.get(documentName);
    this.sessions.delete(documentName);
    await session?.close();
  }

  async onDestroy(): Promise<void> {
    await this.log.stop({ timeoutMs: this.stopTimeoutMs });
  }

  private async open(key: DocumentKey, createdBy: string, session: DocumentSession): Promise<DocumentLog> {
    try {
      return await this.log.open(key, session.events);
    } catch (error) {
      if (!(error instanceof WeftError) || error.code !== 'document-not-found') throw error;
    }
    await this.store.create(this.pool, { key, createdBy, mode: this.mode }).catch(unlessExists);
    return this.log.open(key, session.events);
  }
}

/** Two instances that open a new document at once both find it missing. */
function unlessExists(error: unknown): void {
  if (!(error instanceof WeftError) || error.code !== 'document-exists') throw error;
}
