import { useIdentity } from '../identity/identity.tsx';
import { onLinkClick } from '../router.ts';
import { needsFreshCopy, needsNewToken } from '../session/endings.ts';
import type { SessionEnd } from '../session/status.ts';
import { Button } from '../ui/button.tsx';
import { MessagePage } from '../ui/message-page.tsx';

const TITLES: Record<string, string> = {
  'access-removed': 'Access removed',
  'document-deleted': 'This document has been deleted',
  'document-not-found': 'No such document',
  'token-expired': 'Your session has expired',
};

const ADVICE: Record<string, string> = {
  'access-removed': 'If that is a mistake, ask an owner of the document to invite you again.',
  'document-not-found': 'Ask whoever sent you the link to share the document with you.',
};

export interface EndedPageProps {
  readonly end: SessionEnd;
  readonly onRetry: () => void;
}

export function EndedPage({ end, onRetry }: EndedPageProps) {
  const { kind, forgetToken } = useIdentity();
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
    <MessagePage title={TITLES[end.code] ?? 'This document cannot be opened'} actions={actions}>
      <p>{explanation(end)}</p>
      {ADVICE[end.code] && <p>{ADVICE[end.code]}</p>}
    </MessagePage>
  );
}

function explanation(end: SessionEnd): string {
  if (needsFreshCopy(end)) return 'The server refused your copy of this document several times in a row.';
  if (needsNewToken(end)) return `${end.message} Open the document again from your application.`;
  return end.message;
}
