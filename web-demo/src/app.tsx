import { Tooltip } from 'radix-ui';
import { lazy, Suspense, useEffect } from 'react';
import { DocumentSkeleton } from './editor/page-skeleton.tsx';
import { IdentityProvider, useIdentity } from './identity/identity.tsx';
import { onLinkClick, routeOf, usePath, type Route } from './router.ts';
import { StartPage } from './start/start-page.tsx';
import { ErrorBoundary } from './ui/error-boundary.tsx';
import { MessagePage } from './ui/message-page.tsx';
import { ToastProvider } from './ui/toast.tsx';

// The editor is most of the code; the list of documents needs none of it.
const loadEditor = () => import('./editor/document-page.tsx');
const DocumentPage = lazy(() => loadEditor().then((module) => ({ default: module.DocumentPage })));
const StatusPage = lazy(() =>
  import('./status/status-page.tsx').then((module) => ({ default: module.StatusPage })),
);

export function App() {
  return (
    <Tooltip.Provider delayDuration={450} skipDelayDuration={200}>
      <ToastProvider>
        <ErrorBoundary>
          <IdentityProvider>
            <Pages />
          </IdentityProvider>
        </ErrorBoundary>
      </ToastProvider>
    </Tooltip.Provider>
  );
}

function Pages() {
  const path = usePath();
  return (
    // Another address is another view, which may be whole.
    <ErrorBoundary key={path}>
      <View route={routeOf(path)} />
    </ErrorBoundary>
  );
}

function View({ route }: { route: Route }) {
  const { person } = useIdentity();
  useEffect(() => {
    // Whoever looks at the list opens a document next. A failure shows when it is wanted.
    if (route.page === 'start') loadEditor().catch(() => undefined);
  }, [route.page]);

  switch (route.page) {
    case 'start':
      return <StartPage />;
    case 'document':
      return (
        <Suspense fallback={<DocumentSkeleton />}>
          <DocumentPage key={`${person.sub}/${route.name}`} name={route.name} />
        </Suspense>
      );
    case 'status':
      return (
        <Suspense fallback={<div className="page-loading" />}>
          <StatusPage />
        </Suspense>
      );
    case 'unknown':
      return (
        <MessagePage
          title="There is nothing at this address"
          actions={
            <a className="button button--primary" href="/" onClick={onLinkClick}>
              All documents
            </a>
          }
        >
          <p>The link may be cut short.</p>
        </MessagePage>
      );
  }
}
