import { useEditorState, type Editor } from '@tiptap/react';
import { useEffect, useMemo, useState } from 'react';
import type * as Y from 'yjs';
import type { Person } from '../identity/people.ts';
import { hasFinePointer } from '../ui/pointer.ts';
import { scrollIntoSight } from '../ui/scroll.ts';
import { anchorOf } from './anchors.ts';
import type { CommentsPanelProps } from './comments-panel.tsx';
import { highlight, threadRanges } from './highlights.ts';
import {
  addReply,
  addThread,
  deleteMessage,
  reopenThread,
  resolveThread,
  type Anchor,
  type Author,
} from './threads.ts';
import { useThreads } from './use-threads.ts';

interface Draft {
  readonly anchor: Anchor | undefined;
  readonly quote: string;
}

export interface Comments {
  readonly panel: Omit<CommentsPanelProps, 'onClose' | 'onStart' | 'writable'>;
  readonly openCount: number;
  /** Begins a comment about the selected text, or about the whole document. */
  readonly start: () => void;
  readonly select: (threadId: string) => void;
  /** Gives up what is selected or being written. */
  readonly leave: () => void;
}

export function useComments({
  editor,
  doc,
  person,
}: {
  editor: Editor;
  doc: Y.Doc;
  person: Person;
}): Comments {
  const threads = useThreads(doc);
  const [active, setActive] = useState<string>();
  const [draft, setDraft] = useState<Draft>();
  const open = useMemo(() => threads.filter(({ resolvedBy }) => resolvedBy === undefined), [threads]);

  useEffect(() => {
    editor.view.dispatch(highlight(editor.state, { threads: open, active, draft: draft?.anchor }));
  }, [editor, open, active, draft]);
  const ranges = useEditorState({ editor, selector: ({ editor: { state } }) => threadRanges(state) });

  const author: Author = { id: person.sub, name: person.name, color: person.color };
  return {
    openCount: open.length,
    select: setActive,
    leave: () => {
      setActive(undefined);
      setDraft(undefined);
    },
    start: () => {
      const { from, to, empty } = editor.state.selection;
      const quote = empty ? '' : editor.state.doc.textBetween(from, to, ' ', ' ').trim();
      const anchor = quote === '' ? undefined : anchorOf(editor.state, { from, to });
      setActive(undefined);
      setDraft({ anchor, quote: anchor ? quote : '' });
    },
    panel: {
      threads,
      ranges,
      active,
      draft,
      self: person.sub,
      onSelect: (id) => {
        setActive(id);
        scrollToThread(editor, id);
      },
      onReply: (id, text) => addReply(doc, id, { author, text }),
      onResolve: (id) => resolveThread(doc, id, author),
      onReopen: (id) => reopenThread(doc, id),
      onDelete: (id, message) => deleteMessage(doc, id, message),
      onSubmitDraft: (text) => {
        if (draft) setActive(addThread(doc, { ...draft, author, text }));
        setDraft(undefined);
        returnToText(editor);
      },
      onCancelDraft: () => {
        setDraft(undefined);
        returnToText(editor);
      },
    },
  };
}

/** Where the caret was: the comment's own field, which had the focus, goes away. */
export function returnToText(editor: Editor): void {
  if (!hasFinePointer()) return;
  editor.commands.setTextSelection(editor.state.selection.to);
  editor.view.dom.focus({ preventScroll: true });
}

function scrollToThread(editor: Editor, id: string): void {
  const range = threadRanges(editor.state).get(id);
  if (!range) return;
  const { node } = editor.view.domAtPos(range.from);
  const element = node instanceof Element ? node : node.parentElement;
  if (element) scrollIntoSight(element);
}
