import { MessagesSquare, Users } from 'lucide-react';
import { useState, type ReactNode } from 'react';
import { useIdentity } from '../identity/identity.tsx';
import { onLinkClick } from '../router.ts';
import type { Access } from '../session/access.ts';
import type { DocumentSession } from '../session/document-session.ts';
import { usePeople, type Present } from '../session/presence.ts';
import type { Status } from '../session/status.ts';
import { ShareDialog } from '../share/share-dialog.tsx';
import { Button } from '../ui/button.tsx';
import { LogoMark } from '../ui/logo.tsx';
import { PersonMenu } from '../ui/person-menu.tsx';
import { Tip } from '../ui/tooltip.tsx';
import { PeopleHere } from './people-here.tsx';
import { StatusBadge } from './status-badge.tsx';
import { TitleField } from './title-field.tsx';

export interface DocumentHeaderProps {
  readonly name: string;
  readonly title: string;
  /** None where the page itself says what has become of the document. */
  readonly status: Status | undefined;
  readonly access: Access | undefined;
  readonly session: DocumentSession;
  readonly children?: ReactNode;
  readonly onRename: (title: string) => void;
  /** Enter was pressed in the title: on to the text. */
  readonly onTitleEntered?: () => void;
  /** Where is that person? None while there is no text to be in. */
  readonly onPerson?: (person: Present) => void;
}

export function DocumentHeader(props: DocumentHeaderProps) {
  const { name, title, status, access, session, children, onRename, onTitleEntered, onPerson } = props;
  const { person } = useIdentity();
  const people = usePeople(session.awareness, person.sub);
  const [sharing, setSharing] = useState(false);
  const manages = access?.manages === true;

  return (
    <header className="topbar">
      <Tip label="All documents">
        <a className="topbar__home" href="/" aria-label="All documents" onClick={onLinkClick}>
          <LogoMark />
        </a>
      </Tip>
      <div className="topbar__title">
        <TitleField
          title={title}
          editable={access?.writesText === true}
          onRename={onRename}
          onEntered={onTitleEntered}
        />
        {status && <StatusBadge status={status} />}
      </div>
      <div className="topbar__tools">
        {onPerson && <PeopleHere people={people} onPerson={onPerson} />}
        {children}
        {manages && (
          <Button
            variant="primary"
            className="share-button"
            aria-label="Share"
            onClick={() => setSharing(true)}
          >
            <Users aria-hidden="true" />
            <span className="share-button__label">Share</span>
          </Button>
        )}
        <PersonMenu />
      </div>
      {manages && <ShareDialog name={name} title={title} open={sharing} onClose={() => setSharing(false)} />}
    </header>
  );
}

export interface CommentsToggleProps {
  readonly open: boolean;
  readonly count: number;
  readonly onToggle: () => void;
}

export function CommentsToggle({ open, count, onToggle }: CommentsToggleProps) {
  return (
    <Tip label={open ? 'Hide comments' : 'Show comments'}>
      <button
        type="button"
        className="icon-button icon-button--badge"
        aria-label={count > 0 ? `Comments, ${count} open` : 'Comments'}
        aria-pressed={open}
        onClick={onToggle}
      >
        <MessagesSquare />
        {count > 0 && <span className="badge">{count}</span>}
      </button>
    </Tip>
  );
}
