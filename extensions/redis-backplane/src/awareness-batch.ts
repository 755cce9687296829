import { awarenessEntries } from '@weft/common';
import * as encoding from 'lib0/encoding';

/** Bytes of one tick's presence of one document. What is over is dropped: a newer cursor follows soon. */
const MAX_BYTES = 4 * 1024 * 1024;

/**
 * Presence of one document that is published together. Of each client only the newest entry is kept, so that a
 * tick costs one message, however many people move how often. States stay the bytes that they are.
 *
 * Format: y-protocols awareness update (`count, (client, clock, JSON)…`).
 */
export class AwarenessBatch {
  private readonly entries = new Map<number, Uint8Array>();
  private bytes = 0;

  get empty(): boolean {
    return this.entries.size === 0;
  }

  /** @throws for bytes that are no awareness update. */
  add(update: Uint8Array): void {
    for (const [client, entry] of awarenessEntries(update)) this.put(client, entry.slice());
  }

  /** Everything added since the last call. */
  take(): Uint8Array {
    const encoder = encoding.createEncoder();
    encoding.writeVarUint(encoder, this.entries.size);
    for (const entry of this.entries.values()) encoding.writeUint8Array(encoder, entry);
    this.entries.clear();
    this.bytes = 0;
    return encoding.toUint8Array(encoder);
  }

  private put(client: number, entry: Uint8Array): void {
    const before = this.entries.get(client)?.length ?? 0;
    if (this.bytes - before + entry.length > MAX_BYTES) return;
    this.bytes += entry.length - before;
    this.entries.set(client, entry);
  }
}
