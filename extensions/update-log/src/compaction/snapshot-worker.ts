import { parentPort } from 'node:worker_threads';
import * as Y from 'yjs';
import { unpack } from './packed-updates.ts';

export interface BuildRequest {
  readonly id: number;
  /** Packed updates. */
  readonly bytes: Uint8Array;
}

export type BuildAnswer =
  | { readonly id: number; readonly state: Uint8Array<ArrayBuffer> }
  | { readonly id: number; readonly error: string };

/**
 * Applies the updates to a document rather than merging their bytes: the document forgets the content of what was
 * deleted, so the snapshot is as small as what is loaded from it.
 */
function build({ bytes }: BuildRequest): Uint8Array<ArrayBuffer> {
  const doc = new Y.Doc({ gc: true });
  doc.transact(() => {
    for (const update of unpack(bytes)) Y.applyUpdate(doc, update);
  });
  const state = Uint8Array.from(Y.encodeStateAsUpdate(doc));
  doc.destroy();
  return state;
}

parentPort?.on('message', (request: BuildRequest) => {
  try {
    const state = build(request);
    parentPort?.postMessage({ id: request.id, state } satisfies BuildAnswer, [state.buffer]);
  } catch (error) {
    parentPort?.postMessage({ id: request.id, error: String(error) } satisfies BuildAnswer);
  }
});
