import type { ByteReader } from './byte-reader.ts';
import { malformed, subdocument, tooDeep } from './errors.ts';
import type { GuardLimits } from './limits.ts';

/** The kinds of struct, in the lower five bits of its first byte. Source: Yjs, `contentRefs`. */
export const Ref = {
  GC: 0,
  Deleted: 1,
  JSON: 2,
  Binary: 3,
  String: 4,
  Embed: 5,
  Format: 6,
  Type: 7,
  Any: 8,
  Doc: 9,
  Skip: 10,
} as const;

/** The kinds of shared type. Those with a name carry it. Source: Yjs, `typeRefs`. */
const TypeRef = { XmlElement: 3, XmlHook: 5, last: 6 } as const;

/** As a key it would replace the prototype of the object that a reader builds. */
export const FORBIDDEN_KEY = '__proto__';

/** Passes the content of an item and checks it as far as Yjs or a reader of the document depends on it. Returns its clocks. */
export function skipContent(reader: ByteReader, ref: number, limits: GuardLimits): number {
  switch (ref) {
    case Ref.String:
      reader.skipString();
      return reader.stringLength;
    case Ref.Deleted:
      return runLength(reader, limits);
    case Ref.Any:
    case Ref.JSON:
      return skipElements(reader, ref, limits);
    case Ref.Binary:
      reader.skip(reader.uint());
      return 1;
    case Ref.Embed:
      skipJson(reader, limits);
      return 1;
    case Ref.Format:
      skipKey(reader);
      skipJson(reader, limits);
      return 1;
    case Ref.Type:
      skipType(reader);
      return 1;
    case Ref.Doc:
      skipSubdocument(reader, limits);
      return 1;
    default:
      throw malformed(`unknown content ${ref}`);
  }
}

export function runLength(reader: ByteReader, limits: GuardLimits): number {
  const length = reader.uint();
  if (length > limits.maxRunLength) throw malformed('run too long');
  return length;
}

function skipElements(reader: ByteReader, ref: number, limits: GuardLimits): number {
  const count = reader.count(1);
  for (let i = 0; i < count; i++) skipElement(reader, ref, limits);
  return count;
}

/** Passes one of the values of a struct of kind Any or JSON. */
export function skipElement(reader: ByteReader, ref: number, limits: GuardLimits): void {
  if (ref === Ref.Any) skipAny(reader, limits.maxValueDepth);
  // Yjs writes an undefined element as this word, which is not JSON.
  else if (!skipWord(reader, 'undefined')) skipJson(reader, limits);
}

function skipType(reader: ByteReader): void {
  const type = reader.uint();
  if (type > TypeRef.last) throw malformed(`unknown shared type ${type}`);
  if (type === TypeRef.XmlElement || type === TypeRef.XmlHook) reader.skipString();
}

function skipKey(reader: ByteReader): void {
  if (reader.string() === FORBIDDEN_KEY) throw malformed(`key ${FORBIDDEN_KEY}`);
}

/** `gc`, `autoLoad` and `meta` are all that Yjs writes; anything else would be passed on to the Doc's constructor. */
function skipSubdocument(reader: ByteReader, limits: GuardLimits): void {
  if (limits.maxSubdocuments === 0) throw subdocument();
  reader.skipString();
  if (reader.byte() !== 118) throw malformed('subdocument without options');
  const count = reader.count(2);
  for (let i = 0; i < count; i++) {
    const key = reader.string();
    if (key === 'meta') {
      skipAny(reader, limits.maxValueDepth);
      continue;
    }
    const value = reader.byte();
    if ((key !== 'gc' && key !== 'autoLoad') || (value !== 120 && value !== 121)) {
      throw malformed('unknown option of a subdocument');
    }
  }
}

/** One value of lib0's `writeAny`; its first byte says what it is. */
function skipAny(reader: ByteReader, depth: number): void {
  switch (reader.byte()) {
    case 127: // undefined
    case 126: // null
    case 121: // false
    case 120: // true
      return;
    case 125:
      return reader.skipInt();
    case 124:
      return reader.skip(4);
    case 123: // a 64-bit float
    case 122: // a 64-bit integer
      return reader.skip(8);
    case 119:
      return reader.skipString();
    case 118:
      return skipObject(reader, depth);
    case 117:
      return skipArray(reader, depth);
    case 116:
      return reader.skip(reader.uint());
    default:
      throw malformed('unknown kind of value');
  }
}

function skipObject(reader: ByteReader, depth: number): void {
  if (depth === 0) throw tooDeep('value');
  const count = reader.count(2);
  for (let i = 0; i < count; i++) {
    skipKey(reader);
    skipAny(reader, depth - 1);
  }
}

function skipArray(reader: ByteReader, depth: number): void {
  if (depth === 0) throw tooDeep('value');
  const count = reader.count(1);
  for (let i = 0; i < count; i++) skipAny(reader, depth - 1);
}

/** Passes a string if it is exactly this ASCII word. */
function skipWord(reader: ByteReader, word: string): boolean {
  const { bytes, pos } = reader;
  if (bytes[pos] !== word.length) return false;
  for (let i = 0; i < word.length; i++) {
    if (bytes[pos + 1 + i] !== word.charCodeAt(i)) return false;
  }
  reader.skip(1 + word.length);
  return true;
}

/** The values of almost all formatting: neither decoded nor parsed. */
const PLAIN_WORDS = ['null', 'true', 'false', '{}'] as const;

function skipJson(reader: ByteReader, limits: GuardLimits): void {
  for (const word of PLAIN_WORDS) if (skipWord(reader, word)) return;
  const text = reader.string();
  if (jsonDepth(text) > limits.maxValueDepth) throw tooDeep('value');
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw malformed('invalid JSON');
  }
  // A key can also be spelled with escapes.
  if ((text.includes(FORBIDDEN_KEY) || text.includes('\\u')) && hasForbiddenKey(value)) {
    throw malformed(`key ${FORBIDDEN_KEY}`);
  }
}

/** The most brackets that are open at once, outside of strings. */
function jsonDepth(text: string): number {
  let depth = 0;
  let deepest = 0;
  let quoted = false;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === 0x22) quoted = !quoted;
    else if (code === 0x5c) i++;
    else if (quoted) continue;
    else if (code === 0x5b || code === 0x7b) deepest = Math.max(deepest, ++depth);
    else if (code === 0x5d || code === 0x7d) depth--;
  }
  return deepest;
}

function hasForbiddenKey(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  if (Object.hasOwn(value, FORBIDDEN_KEY)) return true;
  return Object.values(value).some(hasForbiddenKey);
}
