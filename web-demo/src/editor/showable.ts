import type { Schema } from '@tiptap/pm/model';
import * as Y from 'yjs';
import { TEXT_ROOT } from '../session/access.ts';
import { inlineNames, isElement } from './foreign-content.ts';

/** What stands next to each other in `parent`, in the way of the binding. */
interface Misplaced {
  readonly parent: Y.XmlFragment;
  readonly index: number;
  readonly length: number;
}

export interface TextShape {
  /** Whether the binding can show all that is in the text. */
  isShowable(doc: Y.Doc): boolean;
  /** Deletes what it cannot. */
  clear(doc: Y.Doc): void;
}

/**
 * What the binding of the editor takes: elements, texts inside of them, and at the top what a document begins with. Other
 * programs can put anything there (a map, a number, a text without a paragraph), at which the binding throws, or which it
 * deletes from the shared document.
 */
export function textShape(schema: Schema): TextShape {
  const misplacedIn = (text: Y.XmlFragment): Generator<Misplaced> => {
    const canBegin = topNames(schema, text);
    return misplaced(text, (child) => child instanceof Y.XmlElement && canBegin(child.nodeName));
  };
  return {
    isShowable: (doc) => misplacedIn(doc.getXmlFragment(TEXT_ROOT)).next().done === true,
    clear: (doc) =>
      doc.transact(() => {
        const text = doc.getXmlFragment(TEXT_ROOT);
        // Yjs counts a format as one of what it deletes, and leaves so many of the others.
        for (let found = [...misplacedIn(text)]; found.length > 0; found = [...misplacedIn(text)]) {
          // From the end, so that the places before stay where they are.
          for (const { parent, index, length } of found.reverse()) parent.delete(index, length);
        }
      }),
  };
}

/** No row without its table, and nothing that stands among words elsewhere; any other name that is nobody's is a box. */
function topNames(schema: Schema, text: Y.XmlFragment): (name: string) => boolean {
  const { contentMatch } = schema.topNodeType;
  const isInline = inlineNames(schema, text);
  return (name) => {
    const type = isElement(schema, name) ? schema.nodes[name] : undefined;
    return type ? contentMatch.matchType(type) !== null : !isInline(name);
  };
}

function* misplaced(parent: Y.XmlFragment, isInPlace: (child: unknown) => boolean): Generator<Misplaced> {
  const children: readonly unknown[] = parent.toArray();
  let length = 0;
  for (const [index, child] of children.entries()) {
    if (!isInPlace(child)) {
      length++;
      continue;
    }
    if (length > 0) yield { parent, index: index - length, length };
    length = 0;
    if (child instanceof Y.XmlElement) yield* misplaced(child, isElementOrText);
  }
  if (length > 0) yield { parent, index: children.length - length, length };
}

function isElementOrText(child: unknown): boolean {
  return child instanceof Y.XmlElement || child instanceof Y.XmlText;
}
