import type { Transaction } from '@tiptap/pm/state';
import type { Editor } from '@tiptap/react';
import { useEffect } from 'react';
import { isFromOthers } from '../comments/anchors.ts';
import { UNTITLED } from '../start/new-document.ts';
import { MAX_TITLE_LENGTH } from '../start/rename-dialog.tsx';

export interface TitleFromHeadingOptions {
  readonly editor: Editor;
  readonly title: string;
  readonly onRename: (title: string) => void;
}

/** A document without a title takes that of its first heading, when whoever wrote it goes on to the next line. */
export function useTitleFromHeading({ editor, title, onRename }: TitleFromHeadingOptions): void {
  useEffect(() => {
    if (title !== UNTITLED) return;
    let wrote = false;
    const look = ({ transaction }: { transaction: Transaction }): void => {
      wrote ||= transaction.docChanged && !isFromOthers(transaction);
      const first = editor.state.doc.firstChild;
      const isLeft = first !== null && editor.state.selection.from >= first.nodeSize;
      if (!wrote || !isLeft || first.type.name !== 'heading') return;
      const heading = first.textContent.trim().slice(0, MAX_TITLE_LENGTH);
      if (heading !== '') onRename(heading);
    };
    editor.on('transaction', look);
    return () => void editor.off('transaction', look);
  }, [editor, title, onRename]);
}
