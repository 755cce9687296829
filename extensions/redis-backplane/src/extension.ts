import type {
  afterUnloadDocumentPayload,
  beforeBroadcastStatelessPayload,
  connectedPayload,
  Connection,
  Document,
  Extension,
  Hocuspocus,
  onAwarenessUpdatePayload,
  onConfigurePayload,
  onLoadDocumentPayload,
  RedisTransactionOrigin,
} from '@hocuspocus/server';
import {
  documentKey,
  ERRORS,
  silentLogger,
  type CommittedUpdate,
  type Cursor,
  type DocumentKey,
  type Logger,
  type LogWatcher,
  type Metrics,
  type Unsubscribe,
} from '@weft/common';
import { applyAwarenessUpdate, encodeAwarenessUpdate } from 'y-protocols/awareness';
import { applyUpdate } from 'yjs';
import { RedisBackplane, type RedisBackplaneOptions } from './backplane.ts';
import type { LogPage, LostReason } from './document-position.ts';
import { guardDelivery, Replica } from './replica.ts';
import { Vigilance, type ReadHeads } from './vigilance.ts';

/** The extension that keeps the log. That of `@weft/update-log` is one. */
export interface LogExtension {
  readonly log: {
    readUpdates(key: DocumentKey, options: { after: Cursor; limit: number }): Promise<LogPage>;
    readonly heads: ReadHeads;
  };
  watch(watcher: LogWatcher): Unsubscribe;
}

export interface RedisBackplaneExtensionOptions extends Omit<RedisBackplaneOptions, 'logger'> {
  readonly log: LogExtension;
  /** All documents belong to it. */
  readonly tenant?: string;
  /** Milliseconds between two looks at the heads of the log. */
  readonly interval?: number;
  readonly logger?: Logger;
  readonly metrics?: Metrics;
}

/** Hocuspocus neither stores nor logs what comes with this origin. */
const ORIGIN: RedisTransactionOrigin = { source: 'redis' };

/**
 * Many instances of a stock Hocuspocus, in place of `@hocuspocus/extension-redis`: committed rows instead of
 * state vectors, and a log that repairs what Redis loses.
 */
export class RedisBackplaneExtension implements Extension {
  readonly extensionName = 'weft-redis-backplane';
  /** A document is joined before it is loaded. */
  readonly priority = 1_000;
  readonly backplane: RedisBackplane;
  private readonly vigilance: Vigilance;
  private readonly log: LogExtension;
  private readonly tenant: string;
  private readonly logger: Logger;
  private readonly replicas = new Map<string, Replica>();
  private readonly lostDocuments = new WeakMap<Document, 'document-deleted' | 'document-reload'>();
  private readonly stops: Unsubscribe[] = [];
  private instance: Hocuspocus | undefined;

  constructor(options: RedisBackplaneExtensionOptions) {
    const { log, tenant = 'default', interval, logger = silentLogger, ...backplane } = options;
    this.log = log;
    this.tenant = tenant;
    this.logger = logger;
    this.backplane = new RedisBackplane({ ...backplane, logger });
    this.vigilance = new Vigilance({
      heads: (ids) => log.log.heads(ids),
      logger,
      ...(interval !== undefined && { interval }),
      ...(options.metrics && { metrics: options.metrics }),
    });
  }

  async onConfigure({ instance }: onConfigurePayload): Promise<void> {
    this.instance = instance;
    this.stops.push(
      guardDelivery(this.backplane, this.vigilance),
      this.log.watch({
        opened: (name, position) => this.replicas.get(name)?.open(position),
        committed: (name, rows) => this.replicas.get(name)?.committed(rows),
      }),
    );
    await this.vigilance.start();
    await this.backplane.start();
  }

  async onLoadDocument({ document, documentName }: onLoadDocumentPayload): Promise<void> {
    // A load that failed leaves its replica behind.
    this.replicas.get(documentName)?.leave();
    const key = documentKey(this.tenant, documentName);
    const replica = new Replica({
      key,
      backplane: this.backplane,
      vigilance: this.vigilance,
      events: {
        readRows: (after, limit) => this.log.log.readUpdates(key, { after, limit }),
        apply: (rows) => document.transact(() => this.apply(document, rows), ORIGIN),
        lost: (reason) => this.lost(document, reason),
        awareness: (update) => applyAwarenessUpdate(document.awareness, update, ORIGIN),
        stateless: (payload) => document.relayStateless(payload),
        peerJoined: () => this.introduce(document, replica),
        policyChanged: () => undefined,
      },
    });
    this.replicas.set(documentName, replica);
    await replica.join();
  }

  /** A lost document stays in memory until the last of its clients is gone: no new ones. */
  async connected({ documentName, connection, instance }: connectedPayload): Promise<void> {
    const document = instance.documents.get(documentName);
    const code = document && this.lostDocuments.get(document);
    if (code) sendAway(connection, code);
  }

  async onAwarenessUpdate(payload: onAwarenessUpdatePayload): Promise<void> {
    const { awareness, documentName, added, updated, removed, transactionOrigin } = payload;
    if (isRedis(transactionOrigin)) return;
    // Removals too when nobody is left here: the others would show a ghost until it times out.
    const clients = [...added, ...updated, ...removed].filter((client) => awareness.meta.has(client));
    if (clients.length === 0) return;
    const update = encodeAwarenessUpdate(awareness, clients);
    this.replicas.get(documentName)?.publishAwareness(update, awareness.states.size);
  }

  async beforeBroadcastStateless({ documentName, payload }: beforeBroadcastStatelessPayload): Promise<void> {
    this.replicas.get(documentName)?.publishStateless(payload);
  }

  async afterUnloadDocument({ documentName, instance }: afterUnloadDocumentPayload): Promise<void> {
    // It may have been opened again by then.
    if (instance.documents.has(documentName) || instance.loadingDocuments.has(documentName)) return;
    this.replicas.get(documentName)?.leave();
    this.replicas.delete(documentName);
  }

  async onDestroy(): Promise<void> {
    for (const stop of this.stops.splice(0)) stop();
    for (const replica of this.replicas.values()) replica.leave();
    this.replicas.clear();
    await this.vigilance.stop();
    await this.backplane.stop();
  }

  private apply(document: Document, rows: readonly CommittedUpdate[]): void {
    for (const { update } of rows) applyUpdate(document, update, ORIGIN);
  }

  /** Tells a peer that has just opened the document who is present here. */
  private introduce(document: Document, replica: Replica): void {
    const { awareness } = document;
    const clients = [...document.connections.values()]
      .flatMap((connection) => [...(connection.clients as Set<number>)])
      .filter((client) => awareness.states.has(client));
    if (clients.length === 0) return;
    replica.publishAwareness(encodeAwarenessUpdate(awareness, clients), awareness.states.size);
  }

  /** Its clients are sent away, and come back to the document as the log has it. */
  private lost(document: Document, reason: LostReason): void {
    this.logger.warn({ document: document.name, reason }, 'The document is closed, to be loaded again');
    const code = reason === 'document-deleted' ? 'document-deleted' : 'document-reload';
    this.lostDocuments.set(document, code);
    for (const connection of document.getConnections()) sendAway(connection, code);
    if (document.getConnectionsCount() === 0) {
      this.instance?.unloadDocument(document).catch((error: unknown) => {
        this.logger.error({ err: error, document: document.name }, 'The document could not be unloaded');
      });
    }
  }
}

function isRedis(origin: unknown): boolean {
  return (origin as Partial<RedisTransactionOrigin> | null | undefined)?.source === 'redis';
}

/** The socket, not the connection: closing only the latter leaves the client believing that it is connected. */
function sendAway({ webSocket }: Connection, code: 'document-deleted' | 'document-reload'): void {
  webSocket.close(ERRORS[code].close, code);
}
