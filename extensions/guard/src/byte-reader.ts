import { malformed } from './errors.ts';

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
/** Below this many bytes, joining characters is faster than a call of TextDecoder. */
const SHORT_STRING = 24;

/**
 * Reads the primitives of lib0's encoding, strictly. lib0's own decoder trusts its input: it reads beyond the
 * end of the array into whatever lies next in memory, and turns an overlong integer into `NaN`.
 */
export class ByteReader {
  readonly bytes: Uint8Array;
  readonly end: number;
  pos = 0;
  /** UTF-16 units of the string that {@link skipString} passed last: the unit Yjs counts text in. */
  stringLength = 0;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
    this.end = bytes.length;
  }

  get remaining(): number {
    return this.end - this.pos;
  }

  byte(): number {
    if (this.pos >= this.end) throw malformed('ends early');
    return this.bytes[this.pos++]!;
  }

  /** 0 to 2^53 − 1, in its shortest form. */
  uint(): number {
    if (this.pos >= this.end) throw malformed('ends early');
    const first = this.bytes[this.pos++]!;
    return first < 0x80 ? first : this.#longUint(first & 0x7f, 128);
  }

  #longUint(low: number, firstFactor: number): number {
    let value = low;
    for (let factor = firstFactor; factor <= 2 ** 52; factor *= 128) {
      if (this.pos >= this.end) throw malformed('ends early');
      const byte = this.bytes[this.pos++]!;
      value += (byte & 0x7f) * factor;
      if (byte >= 0x80) continue;
      if (byte === 0) throw malformed('overlong integer');
      if (value > Number.MAX_SAFE_INTEGER) throw malformed('integer out of range');
      return value;
    }
    throw malformed('integer out of range');
  }

  skipInt(): void {
    const first = this.byte();
    if (first >= 0x80) this.#longUint(first & 0x3f, 64);
  }

  skip(length: number): void {
    if (length > this.end - this.pos) throw malformed('ends early');
    this.pos += length;
  }

  /** A count of things of at least `size` bytes each: more than fit into what remains is a lie. */
  count(size: number): number {
    const count = this.uint();
    if (count * size > this.end - this.pos) throw malformed('counts more than it has');
    return count;
  }

  /** Passes a string, checks that it is UTF-8, and sets {@link stringLength}. */
  skipString(): void {
    const length = this.uint();
    const start = this.pos;
    this.skip(length);
    this.stringLength = utf16Length(this.bytes, start, this.pos);
  }

  string(): string {
    const length = this.uint();
    const start = this.pos;
    this.skip(length);
    if (length < SHORT_STRING) {
      const short = ascii(this.bytes, start, this.pos);
      if (short !== undefined) return short;
    }
    try {
      return decoder.decode(this.bytes.subarray(start, this.pos));
    } catch {
      throw malformed('invalid UTF-8');
    }
  }
}

function ascii(bytes: Uint8Array, start: number, end: number): string | undefined {
  let text = '';
  for (let i = start; i < end; i++) {
    const byte = bytes[i]!;
    if (byte >= 0x80) return undefined;
    text += String.fromCharCode(byte);
  }
  return text;
}

/** The length in UTF-16 units. Throws for what is not UTF-8 by RFC 3629: overlong forms, surrogates, beyond U+10FFFF. */
export function utf16Length(bytes: Uint8Array, start: number, end: number): number {
  let units = 0;
  let i = start;
  while (i < end) {
    const byte = bytes[i++]!;
    units++;
    if (byte < 0x80) continue;
    const size = sequenceSize(byte);
    if (size === 0 || i + size - 1 > end) throw malformed('invalid UTF-8');
    const second = bytes[i]!;
    if (second < lowestSecond(byte) || second > highestSecond(byte)) throw malformed('invalid UTF-8');
    for (let k = 1; k < size - 1; k++) {
      if ((bytes[i + k]! & 0xc0) !== 0x80) throw malformed('invalid UTF-8');
    }
    i += size - 1;
    if (size === 4) units++;
  }
  return units;
}

function sequenceSize(first: number): number {
  if (first < 0xc2 || first > 0xf4) return 0;
  if (first < 0xe0) return 2;
  return first < 0xf0 ? 3 : 4;
}

function lowestSecond(first: number): number {
  if (first === 0xe0) return 0xa0;
  return first === 0xf0 ? 0x90 : 0x80;
}

function highestSecond(first: number): number {
  if (first === 0xed) return 0x9f;
  return first === 0xf4 ? 0x8f : 0xbf;
}
