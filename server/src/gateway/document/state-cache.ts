import { updateBody, webSocketFrame } from '../wire/frames.ts';
import type { Addressee } from '../fan-out/receiver.ts';

/** A tail longer than this costs more to send and apply than encoding the document anew. */
const MAX_TAIL_UPDATES = 500;
const MAX_TAIL_BYTES = 256 * 1024;

/** How much of a document a receiver has been sent. */
export interface StateMark {
  readonly state: Uint8Array | undefined;
  /** Updates after it. */
  readonly tail: number;
}

/**
 * A document's whole state for those who have nothing of it yet. Encoding a megabyte takes 24 ms, and everybody
 * who joins gets the same: so it is encoded once and sent with the updates since, until those get too many. The
 * framed bytes are shared by all who join under the same address.
 */
export class StateCache {
  private readonly encode: () => Uint8Array;
  private state: Uint8Array | undefined;
  private tail: Uint8Array[] = [];
  private tailBytes = 0;
  private framed: { readonly addressKey: string; readonly frame: Buffer } | undefined;
  private usedAt = 0;

  /** @param encode the whole document, asked for when no earlier encoding can be continued */
  constructor(encode: () => Uint8Array) {
    this.encode = encode;
  }

  /** Whether the whole document can be sent without encoding it. */
  get filled(): boolean {
    return this.state !== undefined;
  }

  /** `state` and `tail` together are the document as it is now; what a load from the log has anyway. */
  seed(state: Uint8Array, tail: readonly Uint8Array[], now: number): void {
    this.usedAt = now;
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

  /** Frames that give `receiver` the whole document, none of which says that this is all: the state, then the tail. */
  frames(receiver: Addressee, now: number): Buffer[] {
    this.usedAt = now;
    if (!this.state) this.seed(this.encode(), [], now);
    if (this.framed?.addressKey !== receiver.addressKey) {
      this.framed = {
        addressKey: receiver.addressKey,
        frame: webSocketFrame(receiver.address, updateBody(this.state as Uint8Array)),
      };
    }
    return [this.framed.frame, ...tailFrames(receiver, this.tail)];
  }

  /** What has been sent with {@link frames}. */
  mark(): StateMark {
    return { state: this.state, tail: this.tail.length };
  }

  /** Frames that continue what was sent up to a mark; everything, if that is no longer kept. */
  framesSince(mark: StateMark, receiver: Addressee, now: number): Buffer[] {
    if (!this.state || mark.state !== this.state) return this.frames(receiver, now);
    return tailFrames(receiver, this.tail.slice(mark.tail));
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

function tailFrames({ address }: Addressee, tail: readonly Uint8Array[]): Buffer[] {
  return tail.map((update) => webSocketFrame(address, updateBody(update)));
}
