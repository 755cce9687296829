import type { Editor } from '@tiptap/react';
import { useEffect, useLayoutEffect, type RefObject } from 'react';
import { placeOf, positionOf } from '../comments/anchors.ts';
import { hasFinePointer } from '../ui/pointer.ts';
import { recall, remember } from '../ui/storage.ts';

/** What of the document was in view, and where the caret stood: both stay right while others write. */
interface Place {
  readonly top: string;
  readonly caret: string;
  readonly focused: boolean;
}

export interface PlaceOptions {
  readonly editor: Editor;
  /** What scrolls. */
  readonly desk: RefObject<HTMLElement | null>;
  readonly key: string;
}

/** Whoever loads the page again, or comes back to it in this tab, goes on where they were. */
export function usePlace({ editor, desk, key }: PlaceOptions): void {
  useLayoutEffect(() => {
    const keep = (): void => keepPlace(editor, { desk: desk.current, key });
    window.addEventListener('pagehide', keep);
    return () => {
      window.removeEventListener('pagehide', keep);
      keep();
    };
  }, [editor, desk, key]);

  useEffect(() => {
    const place = readPlace(key);
    if (!place) return;
    const restore = (): void => {
      const found = findPlace(editor, place);
      if (!found || !desk.current) return;
      editor.off('transaction', restore);
      goTo(editor, { desk: desk.current, ...found });
      if (place.focused && hasFinePointer()) editor.view.focus();
    };
    // The text comes from this device, or from the server a moment later.
    editor.on('transaction', restore);
    restore();
    const giveUp = (): void => void editor.off('transaction', restore);
    window.addEventListener('pointerdown', giveUp, { once: true, capture: true });
    window.addEventListener('keydown', giveUp, { once: true, capture: true });
    return () => {
      giveUp();
      window.removeEventListener('pointerdown', giveUp, { capture: true });
      window.removeEventListener('keydown', giveUp, { capture: true });
    };
  }, [editor, desk, key]);
}

function keepPlace(editor: Editor, { desk, key }: { desk: HTMLElement | null; key: string }): void {
  if (!desk || editor.isDestroyed) return;
  const { left, top } = editor.view.dom.getBoundingClientRect();
  const inView = { left: left + 1, top: Math.max(top, desk.getBoundingClientRect().top) + 1 };
  const atTop = desk.scrollTop === 0 ? 0 : (editor.view.posAtCoords(inView)?.pos ?? 0);
  const place = {
    top: placeOf(editor.state, atTop),
    caret: placeOf(editor.state, editor.state.selection.head),
    focused: editor.isFocused,
  };
  remember('sessionStorage', key, JSON.stringify(place));
}

function readPlace(key: string): Place | undefined {
  try {
    return JSON.parse(recall('sessionStorage', key) ?? 'null') as Place | undefined;
  } catch {
    return undefined;
  }
}

interface FoundPlace {
  readonly top: number;
  readonly caret: number;
}

/** @returns `undefined` while the text is not here that the place is in */
function findPlace({ state }: Editor, place: Place): FoundPlace | undefined {
  const top = positionOf(state, place.top);
  const caret = positionOf(state, place.caret);
  return top === undefined || caret === undefined || state.doc.textContent === ''
    ? undefined
    : { top, caret };
}

function goTo(editor: Editor, { desk, top, caret }: FoundPlace & { desk: HTMLElement }): void {
  editor.commands.setTextSelection(caret);
  if (top > 0) desk.scrollTop += editor.view.coordsAtPos(top).top - desk.getBoundingClientRect().top;
}
