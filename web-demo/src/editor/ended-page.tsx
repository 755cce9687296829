import { useIdentity } from '../identity/identity.tsx';
import { onLinkClick } from '../router.ts';
import { needsFreshCopy, needsNewToken } from '../session/endings.ts';
import type { SessionEnd } from '../session/status.ts';
import { Button } from '../ui/button.tsx';
import { MessagePage } from '../ui/message-page.tsx';

interface Ending {
  readonly title: string;
  readonly text: string;
}

const ENDINGS: Record<string, Ending> = {
  'access-removed': {
    title: 'Access removed',
    text: 'It was taken back or has run out. Ask an owner to invite you again: the document then opens here by itself.',
  },
  'document-deleted': {
    title: 'This document has been deleted',
    text: 'It is gone for everybody, with its history.',
  },
  'document-not-found': {
    title: 'No such document',
    text: 'Or it is not shared with you. Ask whoever sent you the link: once you are invited, it opens here by itself.',
  },
  'token-expired': {
    title: 'Your session has expired',
    text: 'Open the document again from your application.',
  },
};

export interface EndedPageProps {
  readonly end: SessionEnd;
  readonly onRetry: () => void;
}

export function EndedPage({ end, onRetry }: EndedPageProps) {
  const { kind, forgetToken } = useIdentity();
  const { title, text } = ENDINGS[end.code] ?? {
    title: 'This document cannot be opened',
    text: explanation(end),
  };
  // The same token would be refused again.
  const asksForToken = kind === 'token' && needsNewToken(end);
  const actions = (
    <>
      <a className="button button--primary" href="/" onClick={onLinkClick}>
        All documents
      </a>
      {asksForToken ? (
        <Button onClick={forgetToken}>Use another token</Button>
      ) : (
        end.code !== 'document-deleted' && <Button onClick={onRetry}>Try again</Button>
      )}
    </>
  );
  return (
    <MessagePage title={title} actions={actions}>
      <p>{text}</p>
    </MessagePage>
  );
}

function explanation(end: SessionEnd): string {
  if (needsFreshCopy(end)) return 'The server refused your copy of this document several times in a row.';
  if (needsNewToken(end)) return `${end.message} Open the document again from your application.`;
  return end.message;
}
