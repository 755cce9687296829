import { EditorContent, useEditor, type Editor } from '@tiptap/react';
import { BubbleMenu } from '@tiptap/react/menus';
import { MessageSquarePlus } from 'lucide-react';
import { memo, useEffect, useRef } from 'react';
import type { Awareness } from 'y-protocols/awareness';
import type * as Y from 'yjs';
import type { Person } from '../identity/people.ts';
import { editorExtensions } from './extensions.ts';
import { LinkBubble } from './link-bubble.tsx';
import { fittedHtml } from './pasted-html.ts';
import { SlashMenu } from './slash-menu.tsx';
import { TableBubble } from './table-bubble.tsx';

export interface RichTextOptions {
  /** Whose text is shown. */
  readonly doc: Y.Doc;
  readonly awareness: Awareness;
  readonly person: Person;
  readonly writable: boolean;
  readonly onThreadClick: (threadId: string) => void;
  readonly onComment: () => void;
  readonly onLink: () => void;
  /** A file was pasted or dropped, which this editor has no place for. */
  readonly onFile: () => void;
  /** What was pasted or dropped had pictures in it, which were left out. */
  readonly onPictures: () => void;
}

/** The editor of one text; another text means another editor. */
export function useRichText(options: RichTextOptions): Editor {
  const { doc, awareness, person, writable } = options;
  const latest = useRef(options);
  useEffect(() => {
    latest.current = options;
  });

  const editor = useEditor(
    {
      extensions: editorExtensions({
        doc,
        awareness,
        person,
        onThreadClick: (id) => latest.current.onThreadClick(id),
        onComment: () => latest.current.onComment(),
        onLink: () => latest.current.onLink(),
      }),
      editable: writable,
      // The style sheet has it; a page may forbid inline styles.
      injectCSS: false,
      editorProps: {
        transformPastedHTML: (pasted) => {
          const { html, hadPictures } = fittedHtml(pasted);
          if (hadPictures) latest.current.onPictures();
          return html;
        },
        handlePaste: (_view, { clipboardData }) => refusesFile(clipboardData, () => latest.current.onFile()),
        handleDrop: (_view, { dataTransfer }) => refusesFile(dataTransfer, () => latest.current.onFile()),
        attributes: {
          class: 'prose',
          role: 'textbox',
          'aria-multiline': 'true',
          'aria-label': 'Document text',
          tabindex: '0',
          spellcheck: 'true',
        },
      },
    },
    [doc, awareness],
  );
  useEffect(() => editor.setEditable(writable, false), [editor, writable]);
  useEffect(() => {
    editor.view.dom.setAttribute('aria-readonly', String(!writable));
  }, [editor, writable]);
  return editor;
}

/** A file beside text is a picture of it, as spreadsheets bring one: the text is taken. */
function refusesFile(data: DataTransfer | null, refused: () => void): boolean {
  if (!data || data.files.length === 0 || data.types.some((type) => type.startsWith('text/'))) return false;
  refused();
  return true;
}

export interface RichTextProps {
  readonly editor: Editor;
  readonly commentable: boolean;
  readonly onComment: () => void;
  /** The link at the caret is to be changed. */
  readonly onLink: () => void;
}

export const RichText = memo(function RichText(props: RichTextProps) {
  const { editor, commentable, onComment, onLink } = props;
  const mayComment = useRef(commentable);
  useEffect(() => {
    mayComment.current = commentable;
  }, [commentable]);

  return (
    <>
      <BubbleMenu
        editor={editor}
        className="bubble"
        options={{ placement: 'bottom', offset: 8 }}
        shouldShow={({ state, view }) => mayComment.current && !state.selection.empty && view.hasFocus()}
      >
        <button
          type="button"
          className="bubble__button"
          onMouseDown={(event) => event.preventDefault()}
          onClick={onComment}
        >
          <MessageSquarePlus aria-hidden="true" />
          Comment
        </button>
      </BubbleMenu>
      <LinkBubble editor={editor} onEdit={onLink} />
      <TableBubble editor={editor} />
      <SlashMenu editor={editor} />
      <EditorContent editor={editor} className="page__text" />
    </>
  );
});
