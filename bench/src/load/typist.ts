import * as encoding from 'lib0/encoding';

/** The name of the shared text that every document of the benchmark has. */
export const TEXT = 'text';

export interface ItemId {
  readonly client: number;
  readonly clock: number;
}

/** A place in a text: between two characters that are there, or in an empty text. */
export interface Place {
  readonly left?: ItemId;
  readonly right?: ItemId;
}

const CONTENT_STRING = 4;
const HAS_ORIGIN = 0x80;
const HAS_RIGHT_ORIGIN = 0x40;

/**
 * One person who writes at one place: makes the bytes that a Y.Doc's `update` event would give for each key,
 * at a hundredth of its cost, so that hundreds of people fit into one generator process.
 * Format: Yjs update encoding v1 (yjs/src/utils/encoding.js).
 */
export class Typist {
  readonly clientId: number;
  /** Characters inserted so far; the next one's clock. */
  clock = 0;
  /** Characters erased so far. */
  erased = 0;
  private readonly place: Place;
  private readonly written: number[] = [];

  constructor(clientId: number, place: Place = {}) {
    this.clientId = clientId;
    this.place = place;
  }

  /** @param character one UTF-16 code unit */
  insert(character: string): Uint8Array {
    const clock = this.clock++;
    this.written.push(clock);
    // The neighbours as Yjs would name them: the character before, deleted or not, and what follows.
    const left = clock > 0 ? { client: this.clientId, clock: clock - 1 } : this.place.left;
    const right = this.place.right;
    const encoder = encoding.createEncoder();
    encoding.writeVarUint(encoder, 1);
    encoding.writeVarUint(encoder, 1);
    encoding.writeVarUint(encoder, this.clientId);
    encoding.writeVarUint(encoder, clock);
    encoding.writeUint8(encoder, CONTENT_STRING | (left ? HAS_ORIGIN : 0) | (right ? HAS_RIGHT_ORIGIN : 0));
    if (left) writeId(encoder, left);
    if (right) writeId(encoder, right);
    if (!left && !right) {
      encoding.writeVarUint(encoder, 1);
      encoding.writeVarString(encoder, TEXT);
    }
    encoding.writeVarString(encoder, character);
    encoding.writeVarUint(encoder, 0);
    return encoding.toUint8Array(encoder);
  }

  /** Erases the person's last character; `undefined` when they have none left. */
  erase(): Uint8Array | undefined {
    const clock = this.written.pop();
    if (clock === undefined) return undefined;
    this.erased += 1;
    const encoder = encoding.createEncoder();
    encoding.writeVarUint(encoder, 0);
    encoding.writeVarUint(encoder, 1);
    encoding.writeVarUint(encoder, this.clientId);
    encoding.writeVarUint(encoder, 1);
    encoding.writeVarUint(encoder, clock);
    encoding.writeVarUint(encoder, 1);
    return encoding.toUint8Array(encoder);
  }
}

function writeId(encoder: encoding.Encoder, { client, clock }: ItemId): void {
  encoding.writeVarUint(encoder, client);
  encoding.writeVarUint(encoder, clock);
}
