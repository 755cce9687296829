import type * as Y from 'yjs';
import type { Random } from './random.ts';

const WORDS =
  'the warp holds while a thread is woven across it and every hand adds what it knows to one cloth 日本 naïve 🧵 then'.split(
    ' ',
  );

export interface Patch {
  readonly at: number;
  readonly deleted: number;
  readonly inserted: string;
}

/**
 * Edits as a person does: a run of characters at a cursor, now and then a correction, a jump to another place,
 * a selection that is replaced, a paste. Each step is one editor transaction.
 */
export class Typist {
  private readonly random: Random;
  private cursor = 0;
  private waiting = '';

  constructor(random: Random) {
    this.random = random;
  }

  /** What this person does next in a text of this length. */
  next(length: number): Patch {
    const { random } = this;
    this.cursor = Math.min(this.cursor, length);
    if (this.waiting.length > 0) return this.typeOne();
    if (random.chance(0.15)) this.cursor = random.integer(length + 1);
    if (length > 0 && random.chance(0.12)) return this.backspace();
    if (length > 40 && random.chance(0.03)) return this.replaceSelection(length);
    if (random.chance(0.02))
      return this.insert(Array.from({ length: 12 }, () => random.pick(WORDS)).join(' '));
    this.waiting = `${random.pick(WORDS)} `;
    return this.typeOne();
  }

  private typeOne(): Patch {
    // By code point: half a surrogate pair would become a replacement character on its way.
    const character = String.fromCodePoint(this.waiting.codePointAt(0) ?? 32);
    this.waiting = this.waiting.slice(character.length);
    return this.insert(character);
  }

  private insert(inserted: string): Patch {
    const at = this.cursor;
    this.cursor += inserted.length;
    return { at, deleted: 0, inserted };
  }

  private backspace(): Patch {
    const deleted = Math.min(this.cursor, 1 + this.random.integer(4));
    this.cursor -= deleted;
    return { at: this.cursor, deleted, inserted: '' };
  }

  private replaceSelection(length: number): Patch {
    const at = this.random.integer(length - 10);
    this.cursor = at + 5;
    return { at, deleted: 5 + this.random.integer(5), inserted: 'woven' };
  }
}

/** One transaction. */
export function applyPatch(text: Y.Text, { at, deleted, inserted }: Patch): void {
  const apply = () => {
    if (deleted > 0) text.delete(at, deleted);
    if (inserted.length > 0) text.insert(at, inserted);
  };
  if (text.doc) text.doc.transact(apply);
  else apply();
}
