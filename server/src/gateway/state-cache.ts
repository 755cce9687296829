import * as Y from 'yjs';
import { syncStep2Body, updateBody, webSocketFrame } from './frames.ts';
import type { Receiver } from './fan-out.ts';

/** A tail longer than this costs more to send and apply than encoding the document anew. */
const MAX_TAIL_UPDATES = 500;
const MAX_TAIL_BYTES = 256 * 1024;

/**
 * A document's whole state for those who have nothing of it yet. Encoding a megabyte takes 24 ms, and everybody
 * who joins gets the same: so it is encoded once and sent with the updates since, until those get too many. The
 * framed bytes are shared by all who join under the same address.
 */
export class StateCache {
  private readonly document: Y.Doc;
  private state: Uint8Array | undefined;
  private tail: Uint8Array[] = [];
  private tailBytes = 0;
  private framed: { readonly addressKey: string; readonly frame: Buffer } | undefined;
  private usedAt = 0;

  constructor(document: Y.Doc) {
    this.document = document;
  }

  /** `state` and `tail` together are the document as it is now; what a load from the log has anyway. */
  seed(state: Uint8Array, tail: readonly Uint8Array[]): void {
    this.state = state;
    this.tail = [...tail];
    this.tailBytes = tail.reduce((sum, update) => sum + update.length, 0);
    this.framed = undefined;
  }

  /** The document has changed by `update`. */
  append(update: Uint8Array): void {
    if (!this.state) return;
    this.tail.push(update);
    this.tailBytes += update.length;
    if (this.tail.length > MAX_TAIL_UPDATES || this.tailBytes > MAX_TAIL_BYTES) this.drop();
  }

  /** Frames that give `receiver` the whole document: SyncStep2 with the state, then an update each. */
  frames(receiver: Receiver, now: number): Buffer[] {
    this.usedAt = now;
    if (!this.state) this.seed(Y.encodeStateAsUpdate(this.document), []);
    if (this.framed?.addressKey !== receiver.addressKey) {
      this.framed = {
        addressKey: receiver.addressKey,
        frame: webSocketFrame(receiver.address, syncStep2Body(this.state as Uint8Array)),
      };
    }
    return [
      this.framed.frame,
      ...this.tail.map((update) => webSocketFrame(receiver.address, updateBody(update))),
    ];
  }

  /** Frees the memory when nobody has joined since `before` (milliseconds since 1970). */
  dropIfUnusedSince(before: number): void {
    if (this.usedAt < before) this.drop();
  }

  private drop(): void {
    this.state = undefined;
    this.framed = undefined;
    this.tail = [];
    this.tailBytes = 0;
  }
}
