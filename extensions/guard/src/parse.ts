import { ByteReader } from './byte-reader.ts';
import { FORBIDDEN_KEY, Ref, runLength, skipContent } from './content.ts';
import { malformed } from './errors.ts';
import type { GuardLimits } from './limits.ts';
import type { Place } from './places.ts';

/** The flags of a struct's first byte, above its kind. Source: Yjs, `Item.write`. */
export const Flag = { hasKey: 0x20, hasRight: 0x40, hasOrigin: 0x80 } as const;
const REF_BITS = 0x1f;

/** No client id: the reference is absent. */
export const ABSENT = -1;

/** One struct of an update, as its bytes say, and what the analysis found out about it. */
export class StructRecord {
  readonly client: number;
  clock: number;
  length = 0;
  readonly ref: number;
  readonly info: number;
  originClient = ABSENT;
  originClock = 0;
  readonly rightClient: number = ABSENT;
  readonly rightClock: number = 0;
  /** The explicit parent: the name of a root type, or the id of the item that holds the type. */
  rootName: string | undefined = undefined;
  parentClient = ABSENT;
  parentClock = 0;
  explicitKey: string | null = null;
  /** Where its first byte, its content and the next struct are in the update. */
  readonly start: number;
  contentStart = 0;
  end = 0;
  /** Clocks cut off its beginning because they are known. */
  cut = 0;
  /** The list it goes into; `undefined` before it was found, and for what becomes garbage. */
  place: Place | undefined = undefined;
  /** The key in a map, `null` in a list. */
  key: string | null = null;
  /** It becomes a GC: what it hangs on is gone. */
  collapsed = false;
  /** The place of the shared type it holds. */
  inner: Place | undefined = undefined;

  constructor(client: number, clock: number, info: number, start: number) {
    this.client = client;
    this.clock = clock;
    this.info = info;
    this.ref = info & REF_BITS;
    this.start = start;
  }
}

/** The structs of one client, in the order of their clocks, without gaps. */
export interface StructBlock {
  readonly client: number;
  /** The first clock and the one after the last. */
  readonly clock: number;
  readonly end: number;
  readonly records: StructRecord[];
  /** The next clock in the document. */
  state: number;
  /** The first record with something new. */
  first: number;
  /** The next record to be placed. */
  cursor: number;
  /** Something it needs is missing: nothing from the cursor on can be applied. */
  blocked: boolean;
  /** It waits for a record of another block. */
  waiting: boolean;
}

/** The deleted ranges of one client, ascending, apart from each other. */
export interface DeleteBlock {
  readonly client: number;
  readonly clocks: number[];
  readonly lengths: number[];
}

export interface ParsedUpdate {
  readonly bytes: Uint8Array;
  readonly blocks: StructBlock[];
  readonly deletes: DeleteBlock[];
}

/** Reads an update of encoding v1, strictly, without a look at any document. */
export function parseUpdate(bytes: Uint8Array, limits: GuardLimits): ParsedUpdate {
  const reader = new ByteReader(bytes);
  const blocks = readBlocks(reader, limits);
  const deletes = readDeletes(reader, limits);
  if (reader.remaining > 0) throw malformed('bytes after its end');
  return { bytes, blocks, deletes };
}

function readBlocks(reader: ByteReader, limits: GuardLimits): StructBlock[] {
  // A block is at least a count, a client, a clock and a struct of two bytes.
  const count = reader.count(5);
  if (count > limits.maxClients) throw malformed('too many clients');
  const blocks: StructBlock[] = [];
  let structs = 0;
  for (let i = 0; i < count; i++) {
    const size = reader.count(2);
    structs += size;
    if (size === 0) throw malformed('block without structs');
    if (structs > limits.maxStructs) throw malformed('too many structs');
    blocks.push(readBlock(reader, size, limits));
  }
  if (hasDuplicate(blocks)) throw malformed('two blocks of one client');
  return blocks;
}

function readBlock(reader: ByteReader, size: number, limits: GuardLimits): StructBlock {
  const client = readClient(reader, limits);
  const clock = reader.uint();
  const records: StructRecord[] = [];
  let next = clock;
  for (let i = 0; i < size; i++) {
    const record = readStruct(reader, client, next, limits);
    if (record.length === 0) throw malformed('struct of length 0');
    next += record.length;
    if (next > limits.maxClock) throw malformed('clock too large');
    appendRecord(records, record);
  }
  return {
    client,
    clock,
    end: next,
    records,
    state: 0,
    first: 0,
    cursor: 0,
    blocked: false,
    waiting: false,
  };
}

/** Neighbouring GCs or Skips become one: two bytes each, they would cost a hundred times as much as records of their own. */
function appendRecord(records: StructRecord[], record: StructRecord): void {
  const last = records.at(-1);
  if ((record.ref !== Ref.GC && record.ref !== Ref.Skip) || last?.ref !== record.ref) {
    records.push(record);
    return;
  }
  last.length += record.length;
  last.end = record.end;
}

function readStruct(reader: ByteReader, client: number, clock: number, limits: GuardLimits): StructRecord {
  const start = reader.pos;
  const record = new StructRecord(client, clock, reader.byte(), start);
  if (record.ref === Ref.GC || record.ref === Ref.Skip) {
    if (record.info !== record.ref) throw malformed('flags on a GC or Skip');
    record.contentStart = reader.pos;
    record.length = runLength(reader, limits);
  } else {
    readReferences(reader, record, limits);
    record.contentStart = reader.pos;
    record.length = skipContent(reader, record.ref, limits);
  }
  record.end = reader.pos;
  return record;
}

type Writable<T> = { -readonly [K in keyof T]: T[K] };

function readReferences(reader: ByteReader, record: Writable<StructRecord>, limits: GuardLimits): void {
  const { info } = record;
  if (info & Flag.hasOrigin) {
    record.originClient = readClient(reader, limits);
    record.originClock = reader.uint();
  }
  if (info & Flag.hasRight) {
    record.rightClient = readClient(reader, limits);
    record.rightClock = reader.uint();
  }
  // With a neighbour the parent and key are the neighbour's, whatever the flag says.
  if (info & (Flag.hasOrigin | Flag.hasRight)) return;
  readParent(reader, record, limits);
  if (info & Flag.hasKey) {
    record.explicitKey = reader.string();
    if (record.explicitKey === FORBIDDEN_KEY) throw malformed(`key ${FORBIDDEN_KEY}`);
  }
}

function readParent(reader: ByteReader, record: StructRecord, limits: GuardLimits): void {
  switch (reader.byte()) {
    case 0:
      record.parentClient = readClient(reader, limits);
      record.parentClock = reader.uint();
      return;
    case 1: {
      const start = reader.pos;
      record.rootName = reader.string();
      if (reader.pos - start > limits.maxRootNameBytes) throw malformed('name of a root type too long');
      if (record.rootName === FORBIDDEN_KEY) throw malformed(`root type ${FORBIDDEN_KEY}`);
      return;
    }
    default:
      throw malformed('unknown kind of parent');
  }
}

function readClient(reader: ByteReader, limits: GuardLimits): number {
  const client = reader.uint();
  if (client > limits.maxClientId) throw malformed('client id too large');
  return client;
}

function readDeletes(reader: ByteReader, limits: GuardLimits): DeleteBlock[] {
  const count = reader.count(4);
  if (count > limits.maxClients) throw malformed('too many clients');
  const blocks: DeleteBlock[] = [];
  for (let i = 0; i < count; i++) blocks.push(readDeleteBlock(reader, limits));
  if (hasDuplicate(blocks)) throw malformed('two delete sets of one client');
  return blocks;
}

/** Yjs writes them sorted and merged. Overlapping ones would be walked over again and again. */
function readDeleteBlock(reader: ByteReader, limits: GuardLimits): DeleteBlock {
  const client = readClient(reader, limits);
  const count = reader.count(2);
  if (count === 0) throw malformed('delete set without ranges');
  const clocks: number[] = [];
  const lengths: number[] = [];
  let end = 0;
  for (let i = 0; i < count; i++) {
    const clock = reader.uint();
    const length = reader.uint();
    if (length === 0) throw malformed('delete range of length 0');
    if (clock < end) throw malformed('delete ranges out of order');
    if (clock === end && i > 0) {
      lengths[lengths.length - 1]! += length;
    } else {
      clocks.push(clock);
      lengths.push(length);
    }
    end = clock + length;
    if (end > limits.maxClock) throw malformed('clock too large');
  }
  return { client, clocks, lengths };
}

function hasDuplicate(blocks: readonly { client: number }[]): boolean {
  if (blocks.length < 2) return false;
  return new Set(blocks.map(({ client }) => client)).size < blocks.length;
}
