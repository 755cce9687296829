import * as decoding from 'lib0/decoding';
import * as encoding from 'lib0/encoding';

/** What several updates say of one Yjs client, as it stands in them. */
interface Section {
  readonly client: number;
  /** Where its structs begin; of no meaning for deletions. */
  readonly clock: number;
  count: number;
  readonly pieces: Uint8Array[];
}

/**
 * Several updates as one, for receivers that then have one message to read and one transaction to make of it.
 * Nothing is decoded but heads: the structs of a client follow each other, so their bytes do too. That is a fraction
 * of what `Y.mergeUpdates` takes, which reads and sorts every struct.
 *
 * Only for what a Yjs document said of its own changes, one after another, in update encoding v1.
 */
export class JoinedUpdate {
  private readonly inserted = new Map<number, Section>();
  private readonly deleted = new Map<number, Section>();

  get empty(): boolean {
    return this.inserted.size === 0 && this.deleted.size === 0;
  }

  /** Adds an update after those added before; `false` when it is of a kind that takes more than reading its head. */
  add(update: Uint8Array): boolean {
    const clients = update[0];
    // An empty delete set is one zero byte; of another the last byte is the end of a length, which is not zero.
    if (clients === 1 && update.at(-1) === 0) this.addInsertions(update);
    else if (clients === 0) this.addDeletions(update);
    else return false;
    return true;
  }

  private addInsertions(update: Uint8Array): void {
    const decoder = decoding.createDecoder(update);
    decoder.pos = 1;
    const count = decoding.readVarUint(decoder);
    const client = decoding.readVarUint(decoder);
    const clock = decoding.readVarUint(decoder);
    extend(this.inserted, { client, clock, count, pieces: [update.subarray(decoder.pos, -1)] });
  }

  private addDeletions(update: Uint8Array): void {
    const decoder = decoding.createDecoder(update);
    decoder.pos = 1;
    for (let clients = decoding.readVarUint(decoder); clients > 0; clients--) {
      const client = decoding.readVarUint(decoder);
      const count = decoding.readVarUint(decoder);
      const start = decoder.pos;
      for (let numbers = count * 2; numbers > 0; numbers--) decoding.readVarUint(decoder);
      extend(this.deleted, { client, clock: 0, count, pieces: [update.subarray(start, decoder.pos)] });
    }
  }

  encode(): Uint8Array {
    const encoder = encoding.createEncoder();
    encoding.writeVarUint(encoder, this.inserted.size);
    for (const { client, clock, count, pieces } of this.inserted.values()) {
      encoding.writeVarUint(encoder, count);
      encoding.writeVarUint(encoder, client);
      encoding.writeVarUint(encoder, clock);
      for (const piece of pieces) encoding.writeUint8Array(encoder, piece);
    }
    encoding.writeVarUint(encoder, this.deleted.size);
    for (const { client, count, pieces } of this.deleted.values()) {
      encoding.writeVarUint(encoder, client);
      encoding.writeVarUint(encoder, count);
      for (const piece of pieces) encoding.writeUint8Array(encoder, piece);
    }
    return encoding.toUint8Array(encoder);
  }
}

function extend(sections: Map<number, Section>, section: Section): void {
  const known = sections.get(section.client);
  if (!known) {
    sections.set(section.client, section);
    return;
  }
  known.count += section.count;
  known.pieces.push(...section.pieces);
}
