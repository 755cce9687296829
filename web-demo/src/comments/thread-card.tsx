import { CheckCheck, RotateCcw, Trash2 } from 'lucide-react';
import { useEffect, useRef } from 'react';
import { NEUTRAL_COLOR } from '../session/presence.ts';
import { Avatar } from '../ui/avatar.tsx';
import { IconButton } from '../ui/button.tsx';
import { scrollIntoSight } from '../ui/scroll.ts';
import { TimeAgo } from '../ui/time-ago.tsx';
import { Composer } from './composer.tsx';
import type { Message, Thread } from './threads.ts';

export interface ThreadActions {
  readonly onSelect: (threadId: string) => void;
  readonly onReply: (threadId: string, text: string) => void;
  readonly onResolve: (threadId: string) => void;
  readonly onReopen: (threadId: string) => void;
  readonly onDelete: (threadId: string, messageId: string) => void;
}

export interface ThreadCardProps extends ThreadActions {
  readonly thread: Thread;
  readonly active: boolean;
  /** Its text has been deleted since. */
  readonly detached: boolean;
  readonly writable: boolean;
  readonly self: string;
}

export function ThreadCard({ thread, active, detached, writable, self, ...actions }: ThreadCardProps) {
  const card = useRef<HTMLLIElement>(null);
  const starter = thread.messages[0]?.author.name ?? '';
  useEffect(() => {
    if (active && card.current) scrollIntoSight(card.current);
  }, [active]);

  return (
    <li
      ref={card}
      className={active ? 'thread thread--active' : 'thread'}
      aria-label={`Thread by ${starter}`}
      onClick={() => actions.onSelect(thread.id)}
    >
      <div className="thread__head">
        <button
          type="button"
          className="thread__quote"
          dir="auto"
          aria-label={thread.quote ? `Show “${thread.quote}” in the text` : 'About the whole document'}
          aria-pressed={active}
        >
          {thread.quote === '' ? 'Whole document' : detached ? <s>{thread.quote}</s> : thread.quote}
        </button>
        {writable &&
          (thread.resolvedBy === undefined ? (
            <IconButton label="Resolve thread" onClick={() => actions.onResolve(thread.id)}>
              <CheckCheck />
            </IconButton>
          ) : (
            <IconButton label="Reopen thread" onClick={() => actions.onReopen(thread.id)}>
              <RotateCcw />
            </IconButton>
          ))}
      </div>
      <ul className="thread__messages">
        {thread.messages.map((message) => (
          <MessageItem
            key={message.id}
            message={message}
            deletable={writable && message.author.id === self}
            onDelete={() => actions.onDelete(thread.id, message.id)}
          />
        ))}
      </ul>
      {thread.resolvedBy !== undefined && (
        <p className="thread__resolved">
          Resolved by <bdi>{thread.resolvedBy}</bdi>
        </p>
      )}
      {writable && thread.resolvedBy === undefined && active && (
        <Composer label="Reply" submitLabel="Reply" onSubmit={(text) => actions.onReply(thread.id, text)} />
      )}
    </li>
  );
}

interface MessageItemProps {
  readonly message: Message;
  readonly deletable: boolean;
  readonly onDelete: () => void;
}

function MessageItem({ message, deletable, onDelete }: MessageItemProps) {
  const { author } = message;
  const color = /^#[0-9a-f]{6}$/i.test(author.color) ? author.color : NEUTRAL_COLOR;
  return (
    <li className="message">
      <Avatar name={author.name} color={color} small />
      <div className="message__body">
        <p className="message__head">
          <strong dir="auto">{author.name}</strong>
          <TimeAgo at={message.at} />
        </p>
        <p className="message__text" dir="auto">
          {message.text}
        </p>
      </div>
      {deletable && (
        <IconButton label="Delete comment" className="message__delete" onClick={onDelete}>
          <Trash2 />
        </IconButton>
      )}
    </li>
  );
}
