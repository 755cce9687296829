import { useCallback, useEffect, useState } from 'react';
import { isTokenRefused } from '../api/rest.ts';
import type { DocumentSummary } from '../api/types.ts';
import { useIdentity } from '../identity/identity.tsx';

export interface Documents {
  /** Newest first; `undefined` until the first answer. */
  readonly documents: readonly DocumentSummary[] | undefined;
  readonly failure: Error | undefined;
  readonly reload: () => void;
}

/** After a failure: the network or the server comes back without a word. */
const LOOK_AGAIN_MS = 5_000;

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

  useEffect(() => {
    if (!failure || isTokenRefused(failure)) return;
    const timer = setTimeout(reload, LOOK_AGAIN_MS);
    return () => clearTimeout(timer);
  }, [failure, reload]);

  return { documents, failure, reload };
}
