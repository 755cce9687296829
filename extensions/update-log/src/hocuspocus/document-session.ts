import type { Document } from '@hocuspocus/server';
import { SYSTEM_ACTOR, WeftError, type CommittedUpdate, type Logger, type UpdateKind } from '@weft/common';
import * as Y from 'yjs';
import type { AppendEntry, DocumentLog, DocumentLogEvents } from '../types.ts';
import { isTransactionOrigin, type Writer } from './origin.ts';

export interface DocumentSessionOptions {
  readonly document: Document;
  readonly logger: Logger;
  readonly writerOf: (origin: unknown) => Writer | undefined;
  readonly committed: (rows: readonly CommittedUpdate[]) => void;
}

/** One document that Hocuspocus has in memory, and its log. */
export class DocumentSession {
  private readonly options: DocumentSessionOptions;
  private opened: DocumentLog | undefined;
  private policyRev = 0;
  private error: WeftError | undefined;
  private readonly record = (update: Uint8Array, origin: unknown) => this.onUpdate(update, origin);

  constructor(options: DocumentSessionOptions) {
    this.options = options;
  }

  /** Why the document cannot be used any more. */
  get failure(): WeftError | undefined {
    return this.error;
  }

  /** What the log tells is told to this. */
  get events(): DocumentLogEvents {
    return {
      // Whoever waits for a commit waits in saved().
      committed: (rows) => this.options.committed(rows),
      reauthorize: async (policyRev, entries) => {
        this.policyRev = policyRev;
        return entries.map(() => ({ verdict: 'commit' }));
      },
      failed: (error) => this.fail(error),
    };
  }

  get strict(): boolean {
    return this.opened?.mode === 'strict';
  }

  /** Fills the document from the log, and from then on logs what changes it. */
  attach(log: DocumentLog): void {
    const { document } = this.options;
    const { snapshot, tail, policyRev } = log.loaded;
    this.opened = log;
    this.policyRev = policyRev;
    document.transact(() => {
      if (snapshot) Y.applyUpdate(document, snapshot);
      for (const { update } of tail) Y.applyUpdate(document, update);
    });
    // Synchronous, and before Hocuspocus acknowledges: whoever waits for the log then waits for this update too.
    document.on('update', this.record);
  }

  /** Commits what is new in `update`, before it is applied. */
  async commitFirst(update: Uint8Array | undefined, writer: Writer): Promise<void> {
    if (update) this.log().append(this.entry(update, writer));
    await this.saved();
  }

  /** Resolves when everything seen so far is committed; rejects when it never will be. */
  async saved(): Promise<void> {
    if (this.error) throw this.error;
    await this.opened?.flush();
  }

  async close(): Promise<void> {
    this.options.document.off('update', this.record);
    await this.opened?.close();
  }

  private log(): DocumentLog {
    if (!this.opened) throw new WeftError('internal', { detail: 'the log is not open' });
    return this.opened;
  }

  private onUpdate(update: Uint8Array, origin: unknown): void {
    const writer = this.options.writerOf(origin);
    // In strict mode what a connection brings has been committed before it was applied.
    const done = this.strict && isTransactionOrigin(origin) && origin.source === 'connection';
    if (!writer || done || this.error) return;
    try {
      this.log().append(this.entry(update, writer));
    } catch (error) {
      this.fail(error instanceof WeftError ? error : new WeftError('internal', { cause: error }));
    }
  }

  private entry(update: Uint8Array, { actor, session }: Writer): AppendEntry {
    const kind: UpdateKind = actor === SYSTEM_ACTOR ? 'system' : 'edit';
    return { update, actor, session, kind, policyRev: this.policyRev };
  }

  /**
   * The document in memory has what the log will not get. Its clients still have it: they are sent away, and come
   * back to the document as the log has it.
   */
  private fail(error: WeftError): void {
    if (this.error) return;
    this.error = error;
    const { document, logger } = this.options;
    logger.error({ err: error, document: document.name }, 'the document is closed, its log has failed');
    // The socket, not the connection: closing only the latter leaves the client believing that it is connected.
    for (const { webSocket } of document.getConnections()) webSocket.close(error.closeCode, error.code);
  }
}
