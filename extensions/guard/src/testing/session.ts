import * as Y from 'yjs';
import type { Random } from './random.ts';

/** People who edit one document honestly, each on a replica of their own. */
export class Session {
  readonly random: Random;
  readonly server: Y.Doc;
  readonly people: readonly Person[];
  readonly #sent: Uint8Array[] = [];
  readonly #waiting: Uint8Array[] = [];

  constructor(random: Random) {
    this.random = random;
    this.server = new Y.Doc({ gc: random.chance(0.85) });
    this.server.clientID = random.uint32();
    if (random.chance(0.5)) defineRoots(this.server);
    this.people = Array.from({ length: 2 + random.below(4) }, () => new Person(random, this.#waiting));
  }

  /** Lets somebody edit or catch up. */
  step(): void {
    const { random } = this;
    const person = random.pick(this.people);
    if (random.chance(0.75)) return person.edit();
    const other = random.chance(0.7) ? this.server : random.pick(this.people).doc;
    Y.applyUpdate(person.doc, Y.encodeStateAsUpdate(other, Y.encodeStateVector(person.doc)));
  }

  /** Something that arrives at the server: in order, late, twice, merged, or as a sync. */
  arriving(): Uint8Array {
    const { random } = this;
    const kind = random.below(20);
    if (kind < 10 && this.#waiting.length > 0) return this.#take(0);
    if (kind < 12 && this.#waiting.length > 0) return this.#take(random.below(this.#waiting.length));
    if (kind < 13 && this.#sent.length > 0) return random.pick(this.#sent);
    if (kind < 15 && this.#waiting.length > 1) return this.#merged();
    const { doc } = random.pick(this.people);
    if (kind < 17) return Y.encodeStateAsUpdate(doc, Y.encodeStateVector(this.server));
    if (kind < 18) return Y.encodeStateAsUpdate(doc);
    return Y.encodeStateAsUpdate(doc, this.#staleVector());
  }

  /** What could not be applied yet arrives again. */
  postpone(update: Uint8Array): void {
    this.#waiting.push(update);
  }

  #take(index: number): Uint8Array {
    const [update] = this.#waiting.splice(index, 1);
    this.#sent.push(update!);
    return update!;
  }

  #merged(): Uint8Array {
    const count = Math.min(this.#waiting.length, 2 + this.random.below(4));
    const updates = this.#waiting.splice(0, count);
    // With one left out, the merge has a gap.
    if (count > 2 && this.random.chance(0.2)) this.#waiting.unshift(...updates.splice(1, 1));
    return Y.mergeUpdates(updates);
  }

  #staleVector(): Uint8Array {
    const vector = Y.decodeStateVector(Y.encodeStateVector(this.server));
    for (const [client, clock] of vector) {
      if (this.random.chance(0.5)) vector.set(client, this.random.below(clock + 1));
    }
    const stale = new Y.Doc();
    for (const [client, clock] of vector)
      if (clock > 0) stale.store.clients.set(client, [garbage(client, clock)]);
    return Y.encodeStateVector(stale);
  }
}

function garbage(client: number, length: number): Y.GC {
  return new Y.GC(Y.createID(client, 0), length);
}

function defineRoots(doc: Y.Doc): void {
  doc.getText('text');
  doc.getArray('array');
  doc.getMap('map');
  doc.getXmlFragment('xml');
}

class Person {
  readonly doc: Y.Doc;
  readonly #random: Random;
  readonly #undo: Y.UndoManager;

  constructor(random: Random, outbox: Uint8Array[]) {
    this.#random = random;
    this.doc = new Y.Doc({ gc: random.chance(0.8) });
    this.doc.clientID = random.uint32();
    defineRoots(this.doc);
    const scope = ['text', 'array', 'map', 'xml'].map((name) => this.doc.share.get(name)!);
    this.#undo = new Y.UndoManager(scope, { captureTimeout: 0, trackedOrigins: new Set([this]) });
    this.doc.on('update', (update: Uint8Array, _origin: unknown, _doc: Y.Doc, { local }: Y.Transaction) => {
      if (local) outbox.push(update);
    });
  }

  edit(): void {
    const random = this.#random;
    if (random.chance(0.06)) return void this.#undo.undo();
    if (random.chance(0.03)) return void this.#undo.redo();
    this.doc.transact(() => {
      const count = random.chance(0.7) ? 1 : 2 + random.below(6);
      for (let i = 0; i < count; i++) editOnce(random, this.doc);
    }, this);
  }
}

function editOnce(random: Random, doc: Y.Doc): void {
  switch (random.below(4)) {
    case 0:
      return editText(random, doc.getText('text'));
    case 1:
      return editArray(random, doc.getArray('array'));
    case 2:
      return editMap(random, doc.getMap('map'));
    default:
      return editXml(random, doc.getXmlFragment('xml'));
  }
}

const WORDS = ['a', 'b', 'hello ', 'é', '😀', '世界', 'x😀y', '\n'] as const;

function editText(random: Random, text: Y.Text): void {
  const at = random.below(text.length + 1);
  const length = random.below(Math.min(6, text.length - at) + 1);
  switch (random.below(8)) {
    case 0:
    case 1:
      return text.delete(at, length);
    case 2:
      return text.format(at, length, { [random.pick(['b', 'i'])]: random.pick([true, null, { x: 1 }]) });
    case 3:
      return text.insertEmbed(at, { image: random.below(9) });
    case 4:
      return text.insert(at, random.pick(WORDS), { b: random.pick([true, null]) });
    default:
      return text.insert(at, random.pick(WORDS));
  }
}

function editArray(random: Random, array: Y.Array<unknown>): void {
  const at = random.below(array.length + 1);
  if (random.chance(0.25)) return array.delete(at, random.below(Math.min(4, array.length - at) + 1));
  const inner = at < array.length ? array.get(at) : undefined;
  if (inner instanceof Y.Text && random.chance(0.7)) return editText(random, inner);
  if (inner instanceof Y.Array && random.chance(0.7)) return editArray(random, inner);
  if (inner instanceof Y.Map && random.chance(0.7)) return editMap(random, inner);
  array.insert(
    at,
    Array.from({ length: 1 + random.below(3) }, () => value(random)),
  );
}

function editMap(random: Random, map: Y.Map<unknown>): void {
  const key = random.pick(['', 'k', 'role', 'long key']);
  if (random.chance(0.2)) return map.delete(key);
  const inner = map.get(key);
  if (inner instanceof Y.Text && random.chance(0.7)) return editText(random, inner);
  if (inner instanceof Y.Array && random.chance(0.7)) return editArray(random, inner);
  if (inner instanceof Y.Map && random.chance(0.7)) return editMap(random, inner);
  map.set(key, value(random));
}

function value(random: Random): unknown {
  switch (random.below(9)) {
    case 0:
      return new Y.Map(random.chance(0.5) ? [['k', 1]] : undefined);
    case 1:
      return new Y.Text(random.pick(['', 'text']));
    case 2:
      return Y.Array.from(random.chance(0.5) ? [1, 2] : []);
    case 3:
      return Uint8Array.of(1, 2, 3);
    case 4:
      return { deep: [{ a: null, b: undefined }, 1.5, -7, true, 10n ** 12n] };
    default:
      return random.pick([0, -0, 2 ** 40, 0.1, 'word', '😀', null, true, [], {}]);
  }
}

function editXml(random: Random, parent: Y.XmlFragment): void {
  const at = random.below(parent.length + 1);
  if (random.chance(0.2)) return parent.delete(at, random.below(Math.min(3, parent.length - at) + 1));
  const child = at < parent.length ? parent.get(at) : undefined;
  if (child instanceof Y.XmlElement && random.chance(0.7)) {
    if (random.chance(0.3)) return child.setAttribute(random.pick(['id', 'class']), random.pick(WORDS));
    return editXml(random, child);
  }
  if (child instanceof Y.XmlText && random.chance(0.8)) return editText(random, child);
  const text = new Y.XmlText(random.pick(WORDS));
  parent.insert(at, [random.chance(0.5) ? text : new Y.XmlElement(random.pick(['p', 'li']))]);
}
