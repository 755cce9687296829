import type { Node } from '@tiptap/pm/model';
import type { Transaction } from '@tiptap/pm/state';
import type { EditorView } from '@tiptap/pm/view';
import { ySyncPluginKey } from '@tiptap/y-tiptap';
import type { Editor, EditorEvents } from '@tiptap/react';
import { useEffect, type RefObject } from 'react';
import { flushSync } from 'react-dom';

type BeforeTransaction = EditorEvents['beforeTransaction'];

/** About a line more than the caret's own. */
const ROOM_BELOW_PX = 32;

/** Something in view, and where its upper edge is. */
interface Mark {
  readonly top: number;
  /** @returns `undefined` when it is gone */
  readonly now: () => number | undefined;
}

export interface SteadyViewOptions {
  readonly editor: Editor;
  /** What scrolls. */
  readonly desk: RefObject<HTMLElement | null>;
}

/**
 * What somebody is at stays where it is on the screen, whatever others write above. Browsers do so by themselves,
 * but not while the focus is in the text: they take the whole of it for what is to stay.
 */
export function useSteadyView({ editor, desk }: SteadyViewOptions): void {
  useEffect(() => {
    let mark: Mark | undefined;
    const before = ({ transaction, nextState }: BeforeTransaction): void => {
      mark =
        desk.current && isOthersEdit(transaction)
          ? markOf(editor, { desk: desk.current, next: nextState.doc })
          : undefined;
    };
    const after = (): void => {
      const now = mark?.now();
      if (mark && now !== undefined && desk.current) desk.current.scrollTop += now - mark.top;
      mark = undefined;
    };
    editor.on('beforeTransaction', before);
    editor.on('transaction', after);
    return () => {
      editor.off('beforeTransaction', before);
      editor.off('transaction', after);
    };
  }, [editor, desk]);
}

/**
 * The caret, or the top of the view where it is out of sight, stays where it is while the page gets another width; where
 * the view gets so low that the caret would leave it, it stays in sight.
 */
export function holdStill({ editor, desk }: SteadyViewOptions, layOut: () => void): void {
  const { view } = editor;
  const topOf = (position: number): number => view.coordsAtPos(position).top;
  const position = desk.current ? positionInSight(editor, desk.current) : undefined;
  const before = position === undefined ? 0 : topOf(position);
  flushSync(layOut);
  if (!desk.current || position === undefined) return;
  desk.current.scrollTop += topOf(position) - before;
  const below =
    view.coordsAtPos(position).bottom + ROOM_BELOW_PX - desk.current.getBoundingClientRect().bottom;
  if (below > 0) desk.current.scrollTop += below;
}

function positionInSight({ view }: Editor, desk: HTMLElement): number | undefined {
  const { top, bottom } = desk.getBoundingClientRect();
  const { head } = view.state.selection;
  const caretTop = view.coordsAtPos(head).top;
  if (caretTop > top && caretTop < bottom) return head;
  return view.posAtCoords({ left: view.dom.getBoundingClientRect().left + 1, top: top + 1 })?.pos;
}

/** Undo comes by the shared document too, and is to be seen where it happens. */
function isOthersEdit(transaction: Transaction): boolean {
  const change = transaction.getMeta(ySyncPluginKey) as
    { readonly isChangeOrigin?: boolean; readonly isUndoRedoOperation?: boolean } | undefined;
  return transaction.docChanged && change?.isChangeOrigin === true && change.isUndoRedoOperation !== true;
}

interface Sight {
  readonly desk: HTMLElement;
  /** The document that is about to be shown. */
  readonly next: Node;
}

/** The caret, or the first block where it is out of sight. Whoever is at the very top wants to see what comes there. */
function markOf({ view, state }: Editor, { desk, next }: Sight): Mark | undefined {
  if (!view.hasFocus()) return undefined;
  const { top, bottom } = desk.getBoundingClientRect();
  const caret = (): number => view.coordsAtPos(view.state.selection.head).top;
  const caretTop = caret();
  if (caretTop > top && caretTop < bottom) return { top: caretTop, now: caret };
  if (desk.scrollTop === 0) return undefined;
  const change = changeBetween(state.doc, next);
  let position = 0;
  for (const block of state.doc.children) {
    const edge = position >= change.end ? edgesAt(view, position) : undefined;
    if (edge && edge.bottom > top) {
      const after = position + change.growth;
      return { top: edge.top, now: () => edgesAt(view, after)?.top };
    }
    position += block.nodeSize;
  }
  return undefined;
}

/** Where what has changed ends in the document before, and by how much everything behind it has moved. */
function changeBetween(before: Node, after: Node): { readonly end: number; readonly growth: number } {
  const start = before.content.findDiffStart(after.content) ?? before.content.size;
  const end = before.content.findDiffEnd(after.content) ?? { a: start, b: start };
  // Of several equal blocks in a row it cannot be told which is new: they must not count on both sides.
  const overlap = Math.max(0, start - Math.min(end.a, end.b));
  return { end: end.a + overlap, growth: end.b - end.a };
}

function edgesAt(view: EditorView, position: number): DOMRect | undefined {
  const element = view.nodeDOM(position);
  return element instanceof Element ? element.getBoundingClientRect() : undefined;
}
