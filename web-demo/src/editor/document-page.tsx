import { useCallback, useEffect, useRef } from 'react';
import { useIdentity } from '../identity/identity.tsx';
import { needsFreshCopy } from '../session/endings.ts';
import { useDocument, type OpenDocument } from '../session/use-document.ts';
import { roleLabel } from '../share/roles.ts';
import { useToast } from '../ui/toast.tsx';
import { DocumentHeader } from './document-header.tsx';
import { EndedPage } from './ended-page.tsx';
import { DocumentSkeleton, PageSkeleton } from './page-skeleton.tsx';
import { UnsavedDialog } from './unsaved-dialog.tsx';
import { useInvitation } from './use-invitation.ts';
import { useTitle } from './use-title.ts';
import { Workspace } from './workspace.tsx';

const COLLAB_URL = `${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}/collab`;

export function DocumentPage({ name }: { name: string }) {
  const { person, token, kind } = useIdentity();
  // The provider asks when it connects and when the server wants a newer one: a cached token would not do.
  const freshToken = useCallback(() => token({ fresh: true }), [token]);
  const open = useDocument({
    url: COLLAB_URL,
    name,
    user: person.sub,
    token: freshToken,
    tokenRenewable: kind === 'demo',
  });
  return open ? <OpenDocumentPage name={name} open={open} /> : <DocumentSkeleton />;
}

function OpenDocumentPage({ name, open }: { name: string; open: OpenDocument }) {
  const { session, state, unsaved, givenUp, dismissUnsaved, reopen } = open;
  const ended = state.end && !state.end.retryable ? state.end : undefined;
  const { title, rename } = useTitle({ name, awareness: session.awareness, ended: ended !== undefined });
  const toast = useToast();
  useInvitation({ name, end: ended, onInvited: reopen });

  useEffect(() => {
    document.title = title ? `${title} — Weft` : 'Weft';
  }, [title]);
  useEffect(() => {
    if (!state.atRisk) return;
    const ask = (event: BeforeUnloadEvent): void => event.preventDefault();
    window.addEventListener('beforeunload', ask);
    return () => window.removeEventListener('beforeunload', ask);
  }, [state.atRisk]);
  useEffect(() => {
    if (state.refusal) toast(`${state.refusal.message} The change was taken back.`, { tone: 'danger' });
  }, [state.refusal, toast]);
  useRoleNews(state.access?.role);
  useEffect(() => {
    if (unsaved?.blocks.length === 0) {
      toast(unsaved.reason);
      dismissUnsaved();
    }
  }, [unsaved, toast, dismissUnsaved]);

  // A fresh copy is on its way; until it is here the old one stays in view.
  const isReplaced = ended !== undefined && !givenUp && needsFreshCopy(ended);
  const isShown = state.ready && (!ended || isReplaced);
  const closed = ended && !isReplaced ? ended : undefined;
  const status = closed && state.status.kind === 'closed' ? undefined : state.status;
  const shown = { name, title, status, access: state.access, session };
  return (
    <div className="document">
      {isShown ? (
        <Workspace key={session.doc.clientID} {...shown} onRename={rename} />
      ) : (
        <>
          <DocumentHeader {...shown} onRename={rename} />
          {closed ? <EndedPage end={closed} onRetry={reopen} /> : <PageSkeleton />}
        </>
      )}
      {unsaved && unsaved.blocks.length > 0 && <UnsavedDialog unsaved={unsaved} onClose={dismissUnsaved} />}
    </div>
  );
}

/** Tools come and go with the role: whoever is at work is told why. */
function useRoleNews(role: string | undefined): void {
  const toast = useToast();
  const known = useRef(role);
  useEffect(() => {
    if (role === undefined || role === known.current) return;
    if (known.current !== undefined) {
      toast(`Your role in this document is now: ${roleLabel(role)}`, { about: 'role' });
    }
    known.current = role;
  }, [role, toast]);
}
