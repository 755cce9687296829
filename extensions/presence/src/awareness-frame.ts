import { isUtf8 } from 'node:buffer';
import { WeftError } from '@weft/common';
import { parseState, type AwarenessState } from './awareness-state.ts';

/** The bounds of one awareness frame. */
export interface AwarenessLimits {
  /**
   * Entries in one frame. A stock client that wakes from sleep sends a null for everybody it knew, in one
   * frame: a small bound would refuse honest people of a crowded document.
   */
  readonly clients: number;
  /** Bytes of the JSON of one state. */
  readonly stateBytes: number;
  /** Bytes of the whole frame. */
  readonly frameBytes: number;
  /** Nesting of objects and arrays in a state; every peer compares states recursively. */
  readonly depth: number;
}

export const AWARENESS_LIMITS: AwarenessLimits = {
  clients: 1024,
  stateBytes: 8 * 1024,
  frameBytes: 256 * 1024,
  depth: 16,
};

/** One client's presence. `state` is `null` when it left. */
export interface AwarenessEntry {
  readonly client: number;
  readonly clock: number;
  readonly state: AwarenessState | null;
}

/** An entry whose state is still the JSON text that is on the wire. */
export interface RawAwarenessEntry {
  readonly client: number;
  readonly clock: number;
  readonly json: string;
}

/**
 * Splits a y-protocols awareness update (`count, (client, clock, JSON)…`) without parsing the states: most of
 * what is dropped never needs it.
 *
 * @throws WeftError `awareness-malformed` or `awareness-too-large`.
 */
export function scanAwarenessFrame(body: Uint8Array, limits = AWARENESS_LIMITS): RawAwarenessEntry[] {
  if (body.length > limits.frameBytes) throw tooLarge(`${body.length} bytes`);
  const reader = new Reader(body);
  const count = reader.varUint();
  if (count > limits.clients) throw tooLarge(`${count} clients`);
  const entries: RawAwarenessEntry[] = [];
  for (let i = 0; i < count; i++) {
    entries.push({
      client: reader.varUint(),
      clock: reader.varUint(),
      json: reader.text(limits.stateBytes),
    });
  }
  if (!reader.done) throw malformed('trailing bytes');
  if (count > 1 && new Set(entries.map((entry) => entry.client)).size < count) {
    throw malformed('a client twice');
  }
  return entries;
}

/**
 * Reads a y-protocols awareness update strictly.
 *
 * @throws WeftError `awareness-malformed` or `awareness-too-large`.
 */
export function readAwarenessFrame(body: Uint8Array, limits = AWARENESS_LIMITS): AwarenessEntry[] {
  return scanAwarenessFrame(body, limits).map(({ client, clock, json }) => ({
    client,
    clock,
    state: parseState(json, limits.depth),
  }));
}

/** The bytes that y-protocols' `applyAwarenessUpdate` takes. */
export function encodeAwareness(entries: readonly AwarenessEntry[]): Uint8Array {
  return encodeRawAwareness(
    entries.map(({ client, clock, state }) => ({ client, clock, json: JSON.stringify(state) })),
  );
}

/** {@link encodeAwareness} for states that are JSON text already. */
export function encodeRawAwareness(entries: readonly RawAwarenessEntry[]): Uint8Array {
  let size = 8;
  for (const { json } of entries) size += 24 + json.length * 3;
  const bytes = Buffer.allocUnsafe(size);
  let at = writeVarUint(bytes, 0, entries.length);
  for (const { client, clock, json } of entries) {
    at = writeVarUint(bytes, at, client);
    at = writeVarUint(bytes, at, clock);
    at = writeVarUint(bytes, at, Buffer.byteLength(json));
    at += bytes.write(json, at);
  }
  return bytes.subarray(0, at);
}

function writeVarUint(bytes: Uint8Array, at: number, value: number): number {
  let rest = value;
  while (rest > 127) {
    bytes[at++] = 128 | (rest % 128);
    rest = Math.floor(rest / 128);
  }
  bytes[at++] = rest;
  return at;
}

class Reader {
  private readonly bytes: Buffer;
  private at = 0;

  constructor(body: Uint8Array) {
    this.bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  }

  get done(): boolean {
    return this.at === this.bytes.length;
  }

  varUint(): number {
    let value = 0;
    let factor = 1;
    for (;;) {
      const byte = this.bytes[this.at++];
      if (byte === undefined) throw malformed('it ends early');
      value += (byte & 127) * factor;
      if (value > Number.MAX_SAFE_INTEGER) throw malformed('a number over 2^53');
      if (byte < 128) return value;
      factor *= 128;
    }
  }

  text(maximum: number): string {
    const length = this.varUint();
    if (length > maximum) throw tooLarge(`a state of ${length} bytes`);
    const end = this.at + length;
    if (end > this.bytes.length) throw malformed('it ends early');
    const slice = this.bytes.subarray(this.at, end);
    if (!isUtf8(slice)) throw malformed('not UTF-8');
    this.at = end;
    return slice.toString('utf8');
  }
}

function malformed(detail: string): WeftError {
  return new WeftError('awareness-malformed', { detail });
}

function tooLarge(detail: string): WeftError {
  return new WeftError('awareness-too-large', { detail });
}
