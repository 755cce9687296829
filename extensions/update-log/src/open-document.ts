import { WeftError, type DocumentKey, type Logger } from '@weft/common';
import type { DocumentQueue } from './document-queue.ts';
import type { StoredDocument } from './reader.ts';
import type { AppendEntry, DocumentLog, DocumentLogEvents, DocumentMode, LoadedDocument } from './types.ts';

export interface OpenDocumentOptions {
  readonly queue: DocumentQueue;
  readonly stored: StoredDocument;
  readonly append: (entry: AppendEntry) => number;
  readonly closed: () => void;
}

/** The handle that {@link DocumentLog} promises. */
export class OpenDocument implements DocumentLog {
  readonly key: DocumentKey;
  readonly id: number;
  readonly epoch: number;
  readonly createdAt: Date;
  readonly renewed: boolean;
  readonly mode: DocumentMode;
  private content: LoadedDocument | undefined;
  private readonly options: Omit<OpenDocumentOptions, 'stored'>;

  constructor({ stored, ...options }: OpenDocumentOptions) {
    const { queue } = options;
    this.options = options;
    this.key = queue.key;
    this.id = stored.id;
    this.epoch = stored.epoch;
    this.createdAt = stored.createdAt;
    this.renewed = stored.renewed;
    this.mode = stored.mode;
    const { snapshot, tail, seq, policyRev } = stored;
    this.content = { snapshot, tail, seq, policyRev };
  }

  get loaded(): LoadedDocument {
    // An empty document in its place would look as if everything had been deleted.
    if (!this.content) throw new WeftError('internal', { detail: 'what was loaded has been forgotten' });
    return this.content;
  }

  forgetLoaded(): void {
    this.content = undefined;
  }

  append(entry: AppendEntry): number {
    return this.options.append(entry);
  }

  expect(seq: number): void {
    this.options.queue.expect(seq);
  }

  flush(): Promise<void> {
    return this.options.queue.flush();
  }

  async close(): Promise<void> {
    // A queue that fails has told its events; here it only matters that nothing is under way any more.
    await this.flush().catch(() => undefined);
    this.options.closed();
  }
}

/** A listener that throws must not leave the log's own books half done. */
export function guarded(events: DocumentLogEvents, key: DocumentKey, logger: Logger): DocumentLogEvents {
  const safely = (what: string, act: () => void) => {
    try {
      act();
    } catch (error) {
      logger.error({ err: error, document: key }, `a listener of the log threw in ${what}`);
    }
  };
  return {
    committed: (rows, throughTicket) => safely('committed', () => events.committed(rows, throughTicket)),
    reauthorize: async (policyRev, entries) => events.reauthorize(policyRev, entries),
    failed: (error) => safely('failed', () => events.failed(error)),
  };
}
