import { useCallback, useEffect, useState } from 'react';
import type { Grant, GrantInput } from '../api/types.ts';
import { useIdentity } from '../identity/identity.tsx';

export interface Grants {
  /** `undefined` until the first answer. */
  readonly grants: readonly Grant[] | undefined;
  readonly failure: string | undefined;
  readonly put: (subject: string, grant: GrantInput) => void;
  readonly remove: (subject: string) => void;
}

/** Each change is sent at once, and what is shown afterwards is what the server has. */
export function useGrants(name: string): Grants {
  const { rest } = useIdentity();
  const [grants, setGrants] = useState<readonly Grant[]>();
  const [failure, setFailure] = useState<string>();

  const change = useCallback(
    async (act: () => Promise<void>): Promise<void> => {
      try {
        await act();
        setFailure(undefined);
      } catch (error) {
        setFailure((error as Error).message);
      }
      setGrants(await rest.listGrants(name).catch(() => undefined));
    },
    [rest, name],
  );
  useEffect(() => {
    void change(() => Promise.resolve());
  }, [change]);

  return {
    grants,
    failure,
    put: (subject, grant) => void change(() => rest.putGrant(name, subject, grant)),
    remove: (subject) => void change(() => rest.deleteGrant(name, subject)),
  };
}
