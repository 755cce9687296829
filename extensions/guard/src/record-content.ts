import * as decoding from 'lib0/decoding';
import * as encoding from 'lib0/encoding';
import * as Y from 'yjs';
import { ByteReader } from './byte-reader.ts';
import { Ref, skipElement } from './content.ts';
import type { GuardLimits } from './limits.ts';
import type { StructRecord } from './parse.ts';

/** The content of a struct of an update, for comparing it with what is stored. Read once, however often it is compared. */
export class RecordContent {
  readonly #bytes: Uint8Array;
  readonly #record: StructRecord;
  readonly #limits: GuardLimits;
  #text: string | undefined;
  #elements: Uint8Array[] | undefined;

  constructor(bytes: Uint8Array, record: StructRecord, limits: GuardLimits) {
    this.#bytes = bytes;
    this.#record = record;
    this.#limits = limits;
  }

  /** Whether the item has the same content at these clocks, which both have. Of a deletion nothing is left to compare. */
  equals({ content, id }: Y.Item, clock: number, end: number): boolean {
    const ref = content.getRef();
    if (ref === Ref.Deleted || this.#record.ref === Ref.Deleted) return true;
    if (ref !== this.#record.ref) return false;
    const [from, to] = [clock - this.#record.clock, end - this.#record.clock];
    switch (ref) {
      case Ref.String:
        return isSameText(
          (content as Y.ContentString).str.slice(clock - id.clock, end - id.clock),
          this.#asText().slice(from, to),
        );
      case Ref.Any:
      case Ref.JSON: {
        const stored = content.getContent().slice(clock - id.clock, end - id.clock);
        const elements = this.#asElements();
        return stored.every((value, i) => isSame(writeElement(ref, value), elements[from + i]!));
      }
      default:
        return isSame(writeContent(content), this.#rewritten());
    }
  }

  #reader(): ByteReader {
    const reader = new ByteReader(this.#bytes);
    reader.pos = this.#record.contentStart;
    return reader;
  }

  #asText(): string {
    return (this.#text ??= this.#reader().string());
  }

  #asElements(): Uint8Array[] {
    if (this.#elements) return this.#elements;
    const { ref } = this.#record;
    const reader = this.#reader();
    this.#elements = Array.from({ length: reader.uint() }, () => {
      const start = reader.pos;
      skipElement(reader, ref, this.#limits);
      return writeElement(ref, readElement(ref, this.#bytes.subarray(start, reader.pos)));
    });
    return this.#elements;
  }

  /** As Yjs would write it again: other implementations write the same JSON with other spaces and numbers. */
  #rewritten(): Uint8Array {
    const { ref, contentStart, end } = this.#record;
    if (ref !== Ref.Embed && ref !== Ref.Format) return this.#bytes.subarray(contentStart, end);
    const reader = this.#reader();
    const key = ref === Ref.Format ? reader.string() : undefined;
    return encoding.encode((encoder) => {
      if (key !== undefined) encoding.writeVarString(encoder, key);
      encoding.writeVarString(encoder, JSON.stringify(JSON.parse(reader.string())));
    });
  }
}

function writeContent(content: Y.Item['content']): Uint8Array {
  const encoder = new Y.UpdateEncoderV1();
  content.write(encoder, 0);
  return encoding.toUint8Array(encoder.restEncoder);
}

function readElement(ref: number, bytes: Uint8Array): unknown {
  const decoder = decoding.createDecoder(bytes);
  if (ref === Ref.Any) return decoding.readAny(decoder);
  const text = decoding.readVarString(decoder);
  return text === 'undefined' ? undefined : JSON.parse(text);
}

function writeElement(ref: number, value: unknown): Uint8Array {
  return encoding.encode((encoder) => {
    if (ref === Ref.Any) encoding.writeAny(encoder, value as Parameters<typeof encoding.writeAny>[1]);
    else encoding.writeVarString(encoder, value === undefined ? 'undefined' : JSON.stringify(value));
  });
}

function isSame(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}

const REPLACEMENT = 0xfffd;

/** Yjs replaces both halves of a pair of surrogates where a struct is split inside, which each replica does in its own time. */
function isSameText(a: string, b: string): boolean {
  if (a === b) return true;
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) {
    const [one, other] = [a.charCodeAt(i), b.charCodeAt(i)];
    if (one === other) continue;
    const split = (one === REPLACEMENT && isSurrogate(other)) || (other === REPLACEMENT && isSurrogate(one));
    if (!split) return false;
  }
  return true;
}

function isSurrogate(code: number): boolean {
  return code >= 0xd800 && code <= 0xdfff;
}
