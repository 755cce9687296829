import type { Editor } from '@tiptap/core';
import { useEffect, useLayoutEffect, useRef, useState, type RefObject } from 'react';
import { CommentsPanel } from '../comments/comments-panel.tsx';
import { returnToText, useComments } from '../comments/use-comments.ts';
import { useIdentity } from '../identity/identity.tsx';
import type { Present } from '../session/presence.ts';
import { takeJustMade } from '../start/new-document.ts';
import { useToast } from '../ui/toast.tsx';
import { useStableCallback } from '../ui/use-stable-callback.ts';
import { goToCaret } from './carets.ts';
import { CommentsToggle, DocumentHeader, type DocumentHeaderProps } from './document-header.tsx';
import { HiddenNotice } from './hidden-notice.tsx';
import { RichText, useRichText } from './rich-text.tsx';
import { ShortcutsDialog } from './shortcuts-dialog.tsx';
import { EditorToolbar } from './toolbar.tsx';
import { usePlace } from './use-place.ts';
import { useShownText, type ShownText } from './use-shown-text.ts';
import { holdStill, useSteadyView } from './use-steady-view.ts';
import { useTitleFromHeading } from './use-title-from-heading.ts';
import { WordCount } from './word-count.tsx';

type WorkspaceProps = Omit<DocumentHeaderProps, 'children' | 'onTitleEntered' | 'onPerson'>;

/** The document while it can be shown: header, toolbar, page, comments. */
export function Workspace(props: WorkspaceProps) {
  const bound = useRef<Editor>(null);
  const text = useShownText(props.session.doc, bound);
  return <Desk key={String(text.isWhole)} {...props} text={text} bound={bound} />;
}

interface DeskProps extends WorkspaceProps {
  readonly text: ShownText;
  readonly bound: RefObject<Editor | null>;
}

function Desk({ text, bound, ...props }: DeskProps) {
  const { session, access, name, title, onRename } = props;
  const { person } = useIdentity();
  const toast = useToast();
  const [commentsOpen, setCommentsOpen] = useState(false);
  const [linkOpen, setLinkOpen] = useState(false);
  const [shortcutsOpen, setShortcutsOpen] = useState(false);
  const mayWrite = access?.writesText === true;
  const writable = mayWrite && text.isWhole;
  const commentable = access?.writesComments === true;

  const editor = useRichText({
    doc: text.doc,
    awareness: session.awareness,
    person,
    writable,
    onThreadClick: (id) => {
      comments.select(id);
      showComments(true);
    },
    onComment: () => startComment(),
    onLink: () => writable && setLinkOpen(true),
    onFile: () => toast('This editor takes text only: the file was left out.'),
    onPictures: () => toast('This editor takes text only: the pictures were left out.'),
  });
  useLayoutEffect(() => {
    bound.current = editor;
  }, [bound, editor]);
  const desk = useRef<HTMLElement>(null);
  usePlace({ editor, desk, key: `weft:place:${person.sub}/${name}` });
  useSteadyView({ editor, desk });
  useTitleFromHeading({ editor, title, onRename });
  const comments = useComments({ editor, doc: session.doc, person });

  useEffect(() => {
    if (writable && takeJustMade()) editor.commands.focus();
  }, [editor, writable]);

  const showComments = (open: boolean): void => holdStill({ editor, desk }, () => setCommentsOpen(open));
  const startComment = useStableCallback((): void => {
    if (!commentable) return;
    comments.start();
    showComments(true);
  });
  const showLink = useStableCallback(() => setLinkOpen(true));
  const showShortcuts = useStableCallback(() => setShortcutsOpen(true));
  const findPerson = ({ id, name }: Present): void => {
    if (!goToCaret(editor.view, id)) toast(`${name} is here, but has no caret in the text.`);
  };
  const closeComments = (): void => {
    comments.leave();
    showComments(false);
  };

  return (
    <>
      <DocumentHeader {...props} onTitleEntered={() => editor.commands.focus()} onPerson={findPerson}>
        <CommentsToggle
          open={commentsOpen}
          count={comments.openCount}
          onToggle={() => (commentsOpen ? closeComments() : showComments(true))}
        />
      </DocumentHeader>
      <EditorToolbar
        editor={editor}
        writable={writable}
        commentable={commentable}
        linkOpen={linkOpen}
        onLinkOpenChange={setLinkOpen}
        onComment={startComment}
        onShortcuts={showShortcuts}
      />
      {writable && <ShortcutsDialog open={shortcutsOpen} onOpenChange={setShortcutsOpen} />}
      <div className={comments.panel.draft ? 'desk-frame desk-frame--drafting' : 'desk-frame'}>
        <main className="desk" ref={desk}>
          {!text.isWhole && <HiddenNotice onRemove={mayWrite ? text.removeHidden : undefined} />}
          <div className="page">
            <RichText editor={editor} commentable={commentable} onComment={startComment} onLink={showLink} />
          </div>
          <WordCount editor={editor} />
        </main>
        {commentsOpen && (
          <CommentsPanel
            {...comments.panel}
            writable={commentable}
            onStart={startComment}
            onClose={() => {
              closeComments();
              returnToText(editor);
            }}
          />
        )}
      </div>
    </>
  );
}
