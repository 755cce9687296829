import * as Y from 'yjs';
import { clocksOf, type Clocks } from './unsaved.ts';

export interface AgreedOptions {
  readonly mine: Y.Doc;
  /** The server's copy. */
  readonly theirs: Y.Doc;
  /** The client whose clocks are said to hold something else: there, what is deleted in `theirs` is not agreed on. */
  readonly disputed?: number | undefined;
}

/**
 * The state vector up to which both copies say the same. Clocks alone do not tell: where others brought something
 * else under the same client, the server's clocks cover text that it does not have.
 */
export function agreedClocks({ mine, theirs, disputed }: AgreedOptions): Clocks {
  const clocks = new Map(clocksOf(theirs));
  for (const [client, structs] of mine.store.clients) {
    const others = theirs.store.clients.get(client);
    if (!others) continue;
    const compare = client === disputed ? isSameText : isSameTextOrDeleted;
    const clock = firstDifference(structs, others, compare);
    if (clock !== undefined) clocks.set(client, clock);
  }
  return clocks;
}

type Struct = Y.Item | Y.GC;
type Compare = (text: string, theirs: Struct, offset: number) => boolean;

/** The clock of the first piece of text that is another one in `theirs`; what only one side has is no difference. */
function firstDifference(
  mine: readonly Struct[],
  theirs: readonly Struct[],
  isSame: Compare,
): number | undefined {
  let index = 0;
  for (const struct of mine) {
    const text = textOf(struct);
    if (text === undefined) continue;
    const { clock, length } = { clock: struct.id.clock, length: struct.length };
    for (; index < theirs.length; index++) {
      const other = theirs[index];
      if (!other || other.id.clock >= clock + length) break;
      const from = Math.max(clock, other.id.clock);
      const to = Math.min(clock + length, other.id.clock + other.length);
      if (from < to && !isSame(text.slice(from - clock, to - clock), other, from - other.id.clock))
        return from;
      // The rest of it lies beside the next of mine.
      if (other.id.clock + other.length > clock + length) break;
    }
  }
  return undefined;
}

function isSameText(text: string, theirs: Struct, offset: number): boolean {
  return textOf(theirs)?.slice(offset, offset + text.length) === text;
}

function isSameTextOrDeleted(text: string, theirs: Struct, offset: number): boolean {
  return theirs.deleted || isSameText(text, theirs, offset);
}

function textOf(struct: Struct): string | undefined {
  if (struct.deleted || !(struct instanceof Y.Item)) return undefined;
  return struct.content instanceof Y.ContentString ? struct.content.str : undefined;
}
