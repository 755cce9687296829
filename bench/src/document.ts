import * as Y from 'yjs';
import { TEXT, type Place } from './load/typist.ts';
import { randomInt, seededRandom } from './random.ts';

export interface DocumentPlan {
  /** Characters inserted plus characters deleted, at least. */
  readonly operations: number;
  /** Text pasted in large pieces on top, bytes at least. */
  readonly pastedBytes?: number;
  readonly seed: number;
}

export interface PreparedDocument {
  /** The whole document as Yjs encodes it. */
  readonly state: Uint8Array;
  /** The same as updates in the order they were made. */
  readonly pieces: readonly Uint8Array[];
  readonly operations: number;
  /** Characters deleted. */
  readonly deletions: number;
}

const AUTHORS = 12;
/** Client ids of five bytes on the wire, as random ones have. */
const FIRST_AUTHOR = 0x20000000;
const OPERATIONS_PER_PIECE = 500;
const PASTE_BYTES = 16 * 1024;
const WORDS =
  'the of and to in we write it that people read together when a change arrives from somewhere else paper edits warp weft thread loom cloth pattern shuttle'.split(
    ' ',
  );

/**
 * Makes a document by writing it: people take turns, type words, correct themselves, jump to other places, and
 * cut out passages, as in a text that has been worked on for weeks. The same plan gives the same bytes.
 */
export function writeDocument(plan: DocumentPlan): PreparedDocument {
  const writer = new Writer(plan.seed);
  while (writer.operations < plan.operations) writer.turn();
  for (let pasted = 0; pasted < (plan.pastedBytes ?? 0); pasted += PASTE_BYTES) writer.paste(PASTE_BYTES);
  return writer.finish();
}

class Writer {
  operations = 0;
  private deletions = 0;
  private readonly doc = new Y.Doc();
  private readonly text = this.doc.getText(TEXT);
  private readonly random: () => number;
  private readonly pieces: Uint8Array[] = [];
  private updates: Uint8Array[] = [];
  private pieceEnd = OPERATIONS_PER_PIECE;
  private position = 0;

  constructor(seed: number) {
    this.random = seededRandom(seed);
    this.doc.on('update', (update: Uint8Array) => this.updates.push(update));
  }

  /** One person's stretch of work. */
  turn(): void {
    this.doc.clientID = FIRST_AUTHOR + randomInt(this.random, AUTHORS);
    const steps = 20 + randomInt(this.random, 200);
    for (let step = 0; step < steps; step++) {
      this.doc.transact(() => this.step());
      if (this.operations >= this.pieceEnd) this.endPiece();
    }
  }

  paste(bytes: number): void {
    let passage = '';
    while (passage.length < bytes) passage += `${this.word()} `;
    this.move();
    this.insert(passage);
    this.endPiece();
  }

  finish(): PreparedDocument {
    this.endPiece();
    const state = Y.encodeStateAsUpdate(this.doc);
    this.doc.destroy();
    const { pieces, operations, deletions } = this;
    return { state, pieces, operations, deletions };
  }

  private step(): void {
    const what = this.random();
    if (what < 0.35) this.move();
    if (what < 0.1) this.delete(1 + randomInt(this.random, 8));
    else if (what > 0.998) this.delete(200 + randomInt(this.random, 800));
    else this.insert(`${this.word()} `);
  }

  /** Mostly near by, sometimes anywhere. */
  private move(): void {
    const near = this.random() < 0.95;
    const target = near
      ? this.position + randomInt(this.random, 400) - 200
      : randomInt(this.random, this.text.length + 1);
    this.position = Math.min(Math.max(0, target), this.text.length);
  }

  private insert(characters: string): void {
    this.text.insert(this.position, characters);
    this.position += characters.length;
    this.operations += characters.length;
  }

  private delete(wanted: number): void {
    const length = Math.min(wanted, this.position);
    if (length === 0) return;
    this.position -= length;
    this.text.delete(this.position, length);
    this.operations += length;
    this.deletions += length;
  }

  private word(): string {
    return WORDS[randomInt(this.random, WORDS.length)] ?? 'weft';
  }

  private endPiece(): void {
    if (this.updates.length > 0) this.pieces.push(Y.mergeUpdates(this.updates));
    this.updates = [];
    this.pieceEnd = this.operations + OPERATIONS_PER_PIECE;
  }
}

/** `count` places spread over a document's text, each between two neighbours, for people to write at. */
export function placesIn(state: Uint8Array, count: number): Place[] {
  const doc = new Y.Doc();
  Y.applyUpdate(doc, state);
  const items: Y.Item[] = [];
  for (let item = doc.getText(TEXT)._start; item; item = item.right) {
    if (!item.deleted && item.right) items.push(item);
  }
  const places = Array.from({ length: count }, (_, index): Place => {
    const item = items[Math.floor(((index + 0.5) / count) * items.length)];
    if (!item?.right) return {};
    const { client, clock } = item.lastId;
    return { left: { client, clock }, right: { client: item.right.id.client, clock: item.right.id.clock } };
  });
  doc.destroy();
  return places;
}
