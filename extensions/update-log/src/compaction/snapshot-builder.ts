import { Worker } from 'node:worker_threads';
import type { GrownDocument } from '../reader.ts';
import { pack } from './packed-updates.ts';
import type { BuildAnswer, BuildRequest } from './snapshot-worker.ts';

export interface SnapshotBuilderOptions {
  /** Milliseconds that building one snapshot may take. */
  readonly timeoutMs: number;
  /** Megabytes that the thread may use. */
  readonly memoryMb: number;
}

/** The updates of a document cannot be made into a snapshot, now or with the means given. */
export class SnapshotError extends Error {
  override readonly name = 'SnapshotError';
}

/**
 * Builds snapshots on a thread of its own: for a large document it takes longer than anybody's keystroke may wait.
 * One at a time; a thread that hangs or dies costs its snapshot only.
 */
export class SnapshotBuilder {
  private readonly options: SnapshotBuilderOptions;
  private worker: Worker | undefined;
  private requests = 0;

  constructor(options: SnapshotBuilderOptions) {
    this.options = options;
  }

  async build({ snapshot, updates }: Pick<GrownDocument, 'snapshot' | 'updates'>): Promise<Uint8Array> {
    const worker = (this.worker ??= this.spawn());
    const id = ++this.requests;
    const bytes = pack(snapshot ? [snapshot] : [], updates);
    try {
      return await this.ask(worker, { id, bytes }, bytes.buffer);
    } catch (error) {
      await this.close();
      throw error;
    }
  }

  async close(): Promise<void> {
    const worker = this.worker;
    this.worker = undefined;
    await worker?.terminate();
  }

  private ask(worker: Worker, request: BuildRequest, buffer: ArrayBuffer): Promise<Uint8Array> {
    return new Promise<Uint8Array>((resolve, reject) => {
      const done = () => {
        clearTimeout(deadline);
        worker.off('message', answered).off('error', failed).off('exit', exited);
      };
      const failed = (reason: unknown) => {
        done();
        reject(new SnapshotError(String(reason), { cause: reason }));
      };
      const exited = () => failed('The snapshot thread ended.');
      const answered = (answer: BuildAnswer) => {
        if (answer.id !== request.id) return;
        if ('error' in answer) return failed(answer.error);
        done();
        resolve(answer.state);
      };
      const deadline = setTimeout(
        () => failed(`The snapshot took longer than ${this.options.timeoutMs} ms.`),
        this.options.timeoutMs,
      );
      worker.on('message', answered).on('error', failed).on('exit', exited);
      worker.postMessage(request, [buffer]);
    });
  }

  private spawn(): Worker {
    const file = import.meta.url.endsWith('.ts') ? './snapshot-worker.ts' : './snapshot-worker.js';
    const worker = new Worker(new URL(file, import.meta.url), {
      name: 'snapshots',
      resourceLimits: { maxOldGenerationSizeMb: this.options.memoryMb },
    });
    worker.unref();
    return worker;
  }
}
