import { MessageSquarePlus, MessagesSquare, X } from 'lucide-react';
import { useState, type KeyboardEvent } from 'react';
import { Button, IconButton } from '../ui/button.tsx';
import type { Range } from './anchors.ts';
import { Composer } from './composer.tsx';
import { ThreadCard, type ThreadActions } from './thread-card.tsx';
import type { Thread } from './threads.ts';

export interface CommentsPanelProps extends ThreadActions {
  readonly threads: readonly Thread[];
  readonly ranges: ReadonlyMap<string, Range>;
  readonly active: string | undefined;
  /** A comment is being written; `quote` is empty when it is about the whole document. */
  readonly draft: { readonly quote: string } | undefined;
  readonly writable: boolean;
  readonly self: string;
  readonly onStart: () => void;
  readonly onSubmitDraft: (text: string) => void;
  readonly onCancelDraft: () => void;
  readonly onClose: () => void;
}

export function CommentsPanel(props: CommentsPanelProps) {
  const { threads, ranges, active, draft, writable, self, onStart, onClose } = props;
  const [showResolved, setShowResolved] = useState(false);
  const open = inTextOrder(
    threads.filter(({ resolvedBy }) => resolvedBy === undefined),
    ranges,
  );
  const resolved = threads.filter(({ resolvedBy }) => resolvedBy !== undefined);
  const card = (thread: Thread) => (
    <ThreadCard
      key={thread.id}
      {...props}
      thread={thread}
      active={thread.id === active}
      detached={thread.anchor !== undefined && thread.resolvedBy === undefined && !ranges.has(thread.id)}
      writable={writable}
      self={self}
    />
  );

  const onKeyDown = ({ key, target }: KeyboardEvent): void => {
    const isWriting = target instanceof HTMLTextAreaElement && target.value !== '';
    if (key === 'Escape' && !isWriting) onClose();
  };

  return (
    <aside className="comments" aria-label="Comments" onKeyDown={onKeyDown}>
      <header className="comments__head">
        <h2>Comments</h2>
        {writable && (
          <IconButton label="New comment" keys="Mod-Alt-m" onClick={onStart}>
            <MessageSquarePlus />
          </IconButton>
        )}
        <IconButton label="Close comments" onClick={onClose}>
          <X />
        </IconButton>
      </header>
      <div className="comments__scroll">
        {draft && (
          <div className="thread thread--active">
            <p className="thread__quote" dir="auto">
              {draft.quote || 'Whole document'}
            </p>
            <Composer
              label="Write a comment"
              submitLabel="Comment"
              autoFocus
              onSubmit={props.onSubmitDraft}
              onCancel={props.onCancelDraft}
            />
          </div>
        )}
        {open.length > 0 && (
          <ul className="comments__list" aria-label="Open threads">
            {open.map(card)}
          </ul>
        )}
        {open.length === 0 && !draft && (
          <div className="comments__empty">
            <MessagesSquare aria-hidden="true" />
            <p>
              {writable
                ? 'No open comments. Select some text to comment on it.'
                : 'No open comments. You may read them here, not write any.'}
            </p>
          </div>
        )}
        {resolved.length > 0 && (
          <section className="comments__resolved">
            <Button
              small
              variant="ghost"
              aria-expanded={showResolved}
              onClick={() => setShowResolved(!showResolved)}
            >
              {showResolved ? 'Hide' : 'Show'} {resolved.length} resolved
            </Button>
            {showResolved && (
              <ul className="comments__list" aria-label="Resolved threads">
                {resolved.map(card)}
              </ul>
            )}
          </section>
        )}
      </div>
    </aside>
  );
}

/** As they are met when reading; those about the whole document first, those whose text has gone last. */
function inTextOrder(threads: readonly Thread[], ranges: ReadonlyMap<string, Range>): Thread[] {
  const place = ({ id, anchor }: Thread): number => (anchor ? (ranges.get(id)?.from ?? Infinity) : -1);
  const begun = ({ messages }: Thread): number => messages[0]?.at ?? 0;
  return [...threads].sort((one, other) => {
    const [here, there] = [place(one), place(other)];
    return here === there ? begun(one) - begun(other) : here - there;
  });
}
