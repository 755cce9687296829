import { useCallback, useEffect, useState } from 'react';
import type { DocumentSummary } from '../api/types.ts';
import { useIdentity } from '../identity/identity.tsx';

export interface Documents {
  /** Newest first; `undefined` until the first answer. */
  readonly documents: readonly DocumentSummary[] | undefined;
  readonly failure: Error | undefined;
  readonly reload: () => void;
}

/** Other people create and share while this page is open: it looks again when it is looked at. */
export function useDocuments(): Documents {
  const { rest } = useIdentity();
  const [documents, setDocuments] = useState<readonly DocumentSummary[]>();
  const [failure, setFailure] = useState<Error>();

  const reload = useCallback(() => {
    rest.listDocuments().then(
      (found) => {
        setFailure(undefined);
        setDocuments([...found].sort((one, other) => other.updatedAt.localeCompare(one.updatedAt)));
      },
      (error: Error) => setFailure(error),
    );
  }, [rest]);

  useEffect(() => {
    reload();
    const onVisible = (): void => {
      if (document.visibilityState === 'visible') reload();
    };
    document.addEventListener('visibilitychange', onVisible);
    window.addEventListener('focus', reload);
    return () => {
      document.removeEventListener('visibilitychange', onVisible);
      window.removeEventListener('focus', reload);
    };
  }, [reload]);

  return { documents, failure, reload };
}
