import * as encoding from 'lib0/encoding';
import * as Y from 'yjs';
import { Ref } from '../content.ts';
import { Flag } from '../parse.ts';
import type { Random } from './random.ts';

export interface Id {
  readonly client: number;
  readonly clock: number;
}

/** A struct as an attacker writes it. `body` writes its content. */
export interface ForgedStruct {
  readonly ref: number;
  readonly origin?: Id;
  readonly right?: Id;
  /** The explicit parent, written only without neighbours. */
  readonly parent?: string | Id;
  readonly key?: string;
  readonly extraFlags?: number;
  readonly body: (encoder: encoding.Encoder) => void;
}

export interface ForgedBlock extends Id {
  readonly structs: readonly ForgedStruct[];
}

export interface ForgedDeletes {
  readonly client: number;
  readonly ranges: readonly (readonly [clock: number, length: number])[];
}

/** Writes an update of encoding v1 with whatever it is told. */
export function forgeUpdate(
  blocks: readonly ForgedBlock[],
  deletes: readonly ForgedDeletes[] = [],
): Uint8Array {
  return encoding.encode((encoder) => {
    encoding.writeVarUint(encoder, blocks.length);
    for (const block of blocks) {
      encoding.writeVarUint(encoder, block.structs.length);
      encoding.writeVarUint(encoder, block.client);
      encoding.writeVarUint(encoder, block.clock);
      for (const struct of block.structs) writeStruct(encoder, struct);
    }
    encoding.writeVarUint(encoder, deletes.length);
    for (const { client, ranges } of deletes) {
      encoding.writeVarUint(encoder, client);
      encoding.writeVarUint(encoder, ranges.length);
      for (const [clock, length] of ranges) {
        encoding.writeVarUint(encoder, clock);
        encoding.writeVarUint(encoder, length);
      }
    }
  });
}

function writeStruct(encoder: encoding.Encoder, struct: ForgedStruct): void {
  const { ref, origin, right, parent = '', key, extraFlags = 0 } = struct;
  const isItem = ref !== Ref.GC && ref !== Ref.Skip;
  const flags =
    (origin ? Flag.hasOrigin : 0) | (right ? Flag.hasRight : 0) | (key === undefined ? 0 : Flag.hasKey);
  encoding.writeUint8(encoder, ref | extraFlags | (isItem ? flags : 0));
  if (isItem) {
    if (origin) writeId(encoder, origin);
    if (right) writeId(encoder, right);
    if (!origin && !right) writeParent(encoder, parent, key);
  }
  struct.body(encoder);
}

function writeParent(encoder: encoding.Encoder, parent: string | Id, key: string | undefined): void {
  if (typeof parent === 'string') {
    encoding.writeVarUint(encoder, 1);
    encoding.writeVarString(encoder, parent);
  } else {
    encoding.writeVarUint(encoder, 0);
    writeId(encoder, parent);
  }
  if (key !== undefined) encoding.writeVarString(encoder, key);
}

function writeId(encoder: encoding.Encoder, { client, clock }: Id): void {
  encoding.writeVarUint(encoder, client);
  encoding.writeVarUint(encoder, clock);
}

type Body = ForgedStruct['body'];

export const run =
  (length: number): Body =>
  (encoder) =>
    encoding.writeVarUint(encoder, length);

export const text =
  (value: string): Body =>
  (encoder) =>
    encoding.writeVarString(encoder, value);

export const anys =
  (...values: readonly unknown[]): Body =>
  (encoder) => {
    encoding.writeVarUint(encoder, values.length);
    for (const value of values) encoding.writeAny(encoder, value as encoding.AnyEncodable);
  };

export const sharedType =
  (type: number, name?: string): Body =>
  (encoder) => {
    encoding.writeVarUint(encoder, type);
    if (name !== undefined) encoding.writeVarString(encoder, name);
  };

export const format =
  (key: string, json: string): Body =>
  (encoder) => {
    encoding.writeVarString(encoder, key);
    encoding.writeVarString(encoder, json);
  };

/** An update of random structs that mostly refer to what the document really has. */
export function forgeRandom(random: Random, doc: Y.Doc): Uint8Array {
  const clients = [...doc.store.clients.keys()];
  const count = random.chance(0.6) ? 1 : 1 + random.below(3);
  const authors = new Set<number>();
  while (authors.size < count)
    authors.add(random.chance(0.5) && clients.length > 0 ? random.pick(clients) : random.below(100));
  const blocks = [...authors].map((client) => forgeBlock(random, doc, client, [...authors]));
  const deletes = random.chance(0.4) ? forgeDeletes(random, doc, [...clients, ...authors]) : [];
  return forgeUpdate(random.chance(0.9) ? blocks : [], deletes);
}

function forgeBlock(random: Random, doc: Y.Doc, client: number, authors: readonly number[]): ForgedBlock {
  const state = Y.getState(doc.store, client);
  const drift = random.chance(0.85) ? 0 : random.below(7) - 3;
  const clock = Math.max(0, state + drift);
  const structs: ForgedStruct[] = [];
  const size = 1 + random.below(random.chance(0.7) ? 3 : 12);
  for (let i = 0; i < size; i++)
    structs.push(forgeStruct(random, doc, [...authors, ...doc.store.clients.keys()]));
  return { client, clock, structs };
}

function forgeStruct(random: Random, doc: Y.Doc, clients: readonly number[]): ForgedStruct {
  const [ref, body] = forgeContent(random);
  const id = (): Id => forgeId(random, doc, clients);
  const parent = random.chance(0.4) ? id() : random.pick(['text', 'array', 'map', 'xml', 'new', '']);
  return {
    ref,
    body,
    parent,
    ...(random.chance(0.6) ? { origin: id() } : {}),
    ...(random.chance(0.5) ? { right: id() } : {}),
    ...(random.chance(0.25) ? { key: random.pick(['k', 'role', 'other']) } : {}),
    ...(random.chance(0.01) ? { extraFlags: random.pick([0x20, 0x40, 0x80, 0x10]) } : {}),
  };
}

function forgeId(random: Random, doc: Y.Doc, clients: readonly number[]): Id {
  const client = random.pick(clients);
  const state = Y.getState(doc.store, client);
  const ahead = random.chance(0.35) ? 6 : 0;
  return { client, clock: random.below(state + ahead + 1) };
}

function forgeContent(random: Random): [ref: number, body: Body] {
  switch (random.below(16)) {
    case 0:
      return [Ref.GC, run(random.below(4))];
    case 1:
      return [Ref.Skip, run(random.below(4))];
    case 2:
      return [Ref.Deleted, run(1 + random.below(4))];
    case 3:
      return [Ref.Any, anys(...Array.from({ length: random.below(4) }, () => random.below(9)))];
    case 4:
    case 5:
    case 6: {
      const type = random.below(7);
      return [Ref.Type, sharedType(type, type === 3 || type === 5 ? 'p' : undefined)];
    }
    case 7:
      return [Ref.Format, format('b', random.pick(['true', 'null', '{}', '1']))];
    case 8:
      return [Ref.Embed, text(random.pick(['{}', '[1]', '{"a":{}}', 'x']))];
    case 9:
      return [Ref.Binary, text('bin')];
    case 10:
      return [Ref.JSON, forgeJson(random)];
    default:
      return [Ref.String, text(random.pick(['a', 'bc', 'def', '😀']))];
  }
}

function forgeJson(random: Random): Body {
  const values = Array.from({ length: 1 + random.below(3) }, () =>
    random.pick(['1', 'undefined', '{"a":1}']),
  );
  return (encoder) => {
    encoding.writeVarUint(encoder, values.length);
    for (const value of values) encoding.writeVarString(encoder, value);
  };
}

function forgeDeletes(random: Random, doc: Y.Doc, clients: readonly number[]): ForgedDeletes[] {
  return [...new Set([random.pick(clients), random.pick(clients)])].map((client) => {
    const ranges: [number, number][] = [];
    let clock = random.below(4);
    for (let i = 0; i <= random.below(3); i++) {
      const length = 1 + random.below(5);
      ranges.push([clock, length]);
      clock += length + random.below(Math.max(1, Y.getState(doc.store, client)));
    }
    return { client, ranges };
  });
}

/** An honest update with some of its bytes changed, lost, repeated, or cut off. */
export function mutate(random: Random, update: Uint8Array): Uint8Array {
  const bytes = [...update];
  for (let i = 0; i <= random.below(3); i++) {
    const at = random.below(bytes.length + 1);
    switch (random.below(6)) {
      case 0:
        bytes.splice(at, 1 + random.below(3));
        break;
      case 1:
        bytes.splice(at, 0, random.below(256));
        break;
      case 2:
        bytes.splice(at, 0, ...bytes.slice(at, at + random.below(12)));
        break;
      case 3:
        if (at < bytes.length) bytes[at]! ^= 1 << random.below(8);
        break;
      default:
        if (at < bytes.length) bytes[at] = random.chance(0.7) ? random.below(12) : random.below(256);
    }
  }
  return Uint8Array.from(bytes, (byte) => byte & 0xff);
}
