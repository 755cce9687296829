import { getSchema, type Editor } from '@tiptap/core';
import { ySyncPluginKey, type ProsemirrorBinding } from '@tiptap/y-tiptap';
import { useEffect, useLayoutEffect, useMemo, useState, type RefObject } from 'react';
import * as Y from 'yjs';
import { contentExtensions } from './extensions.ts';
import { changesElements } from './foreign-content.ts';
import { ReadableCopy } from './readable-copy.ts';
import { textShape, type TextShape } from './showable.ts';

export interface ShownText {
  /** What the editor is bound to: the document itself, or a copy of what it can show of it. */
  readonly doc: Y.Doc;
  readonly isWhole: boolean;
  /** Deletes from the document, for everybody, what the editor cannot show. */
  readonly removeHidden: () => void;
}

let shape: TextShape | undefined;
const shapeOfText = (): TextShape => (shape ??= textShape(getSchema(contentExtensions(new Y.Doc()))));

/** @param bound the editor that shows the document now */
export function useShownText(source: Y.Doc, bound: RefObject<Editor | null>): ShownText {
  const [isWhole, setIsWhole] = useState(() => shapeOfText().isShowable(source));

  useLayoutEffect(() => {
    const look = (): void => {
      const whole = shapeOfText().isShowable(source);
      if (!whole && bound.current) unbind(bound.current, source);
      setIsWhole(whole);
    };
    const onChange = (transaction: Y.Transaction): void => {
      if (changesElements(transaction)) look();
    };
    look();
    // Before the binding hears of it, which throws at what it does not know.
    source.on('beforeObserverCalls', onChange);
    return () => source.off('beforeObserverCalls', onChange);
  }, [source, bound]);

  const copy = useMemo(
    () => (isWhole ? undefined : new ReadableCopy(source, shapeOfText())),
    [source, isWhole],
  );
  useEffect(() => copy?.follow(), [copy]);
  return { doc: copy?.doc ?? source, isWhole, removeHidden: () => shapeOfText().clear(source) };
}

/** Until the editor is replaced it neither shows nor writes anything: it would delete what it does not know. */
function unbind(editor: Editor, source: Y.Doc): void {
  const { binding } = (ySyncPluginKey.getState(editor.state) ?? {}) as { binding?: ProsemirrorBinding };
  // One that shows a copy goes on.
  if (binding?.doc !== source) return;
  binding.destroy();
  // All that it does in either direction is done by this.
  binding.mux = () => undefined;
  // Nor does anything else look for places in a text that is not understood.
  editor.view.dispatch(editor.state.tr.setMeta(ySyncPluginKey, { binding: null }));
}
