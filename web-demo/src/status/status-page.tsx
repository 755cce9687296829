import { useEffect } from 'react';
import { onLinkClick } from '../router.ts';
import { Wordmark } from '../ui/logo.tsx';
import { MessagePage } from '../ui/message-page.tsx';
import { PersonMenu } from '../ui/person-menu.tsx';
import { healthOf, type ClusterState } from './cluster.ts';
import { DocumentTable } from './document-table.tsx';
import { InstanceTable } from './instance-table.tsx';
import { useCluster } from './use-cluster.ts';
import type { Titles } from './use-titles.ts';
import './status.css';

/** What runs, what is open on it, and who is there: live, for administrators. */
export function StatusPage() {
  const { cluster, titles } = useCluster();

  useEffect(() => {
    document.title = 'Status — Weft';
  }, []);

  if (cluster.state === 'forbidden') return <Forbidden />;
  return (
    <div className="start cluster">
      <header className="start__top">
        <a className="cluster__home" href="/" onClick={onLinkClick} aria-label="Weft: all documents">
          <Wordmark />
        </a>
        <PersonMenu />
      </header>
      <main className="start__main">
        <div className="start__head">
          <h1>Status</h1>
        </div>
        {cluster.state === 'loading' && <p className="cluster__none">Asking the instances…</p>}
        {cluster.state === 'failed' && <Unreachable words={cluster.failure} />}
        {cluster.state === 'known' && (
          <>
            {cluster.failure && <Unreachable words={`${cluster.failure} What follows is older.`} />}
            <Known cluster={cluster.cluster} titles={titles} />
          </>
        )}
      </main>
    </div>
  );
}

function Known({ cluster, titles }: { cluster: ClusterState; titles: Titles }) {
  const { tone, words } = healthOf(cluster);
  const { documents, instances, more } = cluster;
  return (
    <>
      <p className={`cluster__health cluster__health--${tone}`} role="status">
        {words}
      </p>
      {cluster.redis === 'away' && (
        <p className="cluster__none">Only the instance that answered is shown: it cannot ask the others.</p>
      )}
      <section>
        <h2 id="instances">Instances</h2>
        <InstanceTable instances={instances} />
      </section>
      <section>
        <h2 id="documents">Open documents</h2>
        {documents.length === 0 ? (
          <p className="cluster__none">Nobody has a document open.</p>
        ) : (
          <DocumentTable documents={documents} titles={titles} />
        )}
        {more > 0 && <p className="cluster__none">And {more} more with fewer people.</p>}
      </section>
    </>
  );
}

function Unreachable({ words }: { words: string }) {
  return (
    <div className="notice notice--danger" role="alert">
      <span>{words}</span>
    </div>
  );
}

function Forbidden() {
  return (
    <MessagePage
      title="For administrators"
      actions={
        <a className="button button--primary" href="/" onClick={onLinkClick}>
          All documents
        </a>
      }
    >
      <p>
        The status of the cluster takes a token with the scope <code>admin</code>. Make one with
      </p>
      <pre className="code-sample">weft token --sub operator --scope admin</pre>
      <p>
        and open <code>/status#token=…</code> with it.
      </p>
    </MessagePage>
  );
}
