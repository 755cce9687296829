import { Activity, FilePlus2, Search } from 'lucide-react';
import { useEffect, useState } from 'react';
import { onLinkClick } from '../router.ts';
import { isTokenRefused } from '../api/rest.ts';
import type { DocumentSummary } from '../api/types.ts';
import { useIdentity } from '../identity/identity.tsx';
import { Button } from '../ui/button.tsx';
import { Wordmark } from '../ui/logo.tsx';
import { Loom } from '../ui/message-page.tsx';
import { PersonMenu } from '../ui/person-menu.tsx';
import { useToast } from '../ui/toast.tsx';
import { DeleteDialog } from './delete-dialog.tsx';
import { DocumentList } from './document-list.tsx';
import { newDocumentName, openNewDocument, UNTITLED } from './new-document.ts';
import { RenameDialog } from './rename-dialog.tsx';
import { useDocuments } from './use-documents.ts';

type Asking = { readonly what: 'rename' | 'delete'; readonly document: DocumentSummary };

export function StartPage() {
  const { rest, administers, kind, forgetToken } = useIdentity();
  const { documents, failure, reload } = useDocuments();
  const [asking, setAsking] = useState<Asking>();
  const [filter, setFilter] = useState('');
  const [creating, setCreating] = useState(false);
  const toast = useToast();

  useEffect(() => {
    document.title = 'Documents — Weft';
  }, []);

  const create = (): void => {
    setCreating(true);
    const name = newDocumentName();
    rest.createDocument(name, UNTITLED).then(
      () => openNewDocument(name),
      (error: Error) => {
        setCreating(false);
        toast(error.message, { tone: 'danger' });
      },
    );
  };
  const close = (): void => setAsking(undefined);
  const shown = documents?.filter(({ title }) => title.toLowerCase().includes(filter.trim().toLowerCase()));

  return (
    <div className="start">
      <header className="start__top">
        <Wordmark />
        <nav className="start__nav">
          {administers && (
            <a className="button button--ghost" href="/status" onClick={onLinkClick}>
              <Activity aria-hidden="true" />
              Status
            </a>
          )}
          <PersonMenu />
        </nav>
      </header>
      <main className="start__main">
        <div className="start__head">
          <h1>Documents</h1>
          <div className="start__tools">
            <label className="search">
              <Search aria-hidden="true" />
              <span className="sr-only">Find a document</span>
              <input
                type="search"
                placeholder="Search"
                value={filter}
                onChange={(event) => setFilter(event.target.value)}
              />
            </label>
            <Button variant="primary" onClick={create} disabled={creating}>
              <FilePlus2 />
              New document
            </Button>
          </div>
        </div>
        {failure && (
          <div className="notice notice--danger" role="alert">
            <span>{failure.message}</span>
            {kind === 'token' && isTokenRefused(failure) ? (
              <Button small onClick={forgetToken}>
                Use another token
              </Button>
            ) : (
              <Button small onClick={reload}>
                Try again
              </Button>
            )}
          </div>
        )}
        {!shown && !failure && <LoadingRows />}
        {documents?.length === 0 && (
          <section className="empty">
            <Loom />
            <h2>Nothing on the loom yet</h2>
            <p>Start a document and share it: everyone you invite writes in it with you, at the same time.</p>
            <Button variant="primary" onClick={create} disabled={creating}>
              Start the first document
            </Button>
          </section>
        )}
        {documents && documents.length > 0 && shown?.length === 0 && (
          <p className="start__none">No document is called “{filter.trim()}”.</p>
        )}
        {shown && shown.length > 0 && (
          <DocumentList
            documents={shown}
            onRename={(document) => setAsking({ what: 'rename', document })}
            onDelete={(document) => setAsking({ what: 'delete', document })}
          />
        )}
      </main>
      {asking?.what === 'rename' && (
        <RenameDialog document={asking.document} onClose={close} onDone={reload} />
      )}
      {asking?.what === 'delete' && (
        <DeleteDialog document={asking.document} onClose={close} onDone={reload} />
      )}
    </div>
  );
}

function LoadingRows() {
  return (
    <div className="document-list" aria-busy="true" aria-label="Documents are being loaded">
      {[1, 2, 3].map((row) => (
        <div key={row} className="document-row document-row--loading" />
      ))}
    </div>
  );
}
