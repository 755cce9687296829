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

/** The server's clock says when a grant has ended: it is asked a little later. */
const CLOCKS_APART_MS = 1_000;
/** Browsers take what is longer for no time at all. */
const LONGEST_TIMER_MS = 86_400_000;

/** Each change is sent at once, and what is shown afterwards is what the server has. */
export function useGrants(name: string): Grants {
  const { rest } = useIdentity();
  const [grants, setGrants] = useState<readonly Grant[]>();
  const [failure, setFailure] = useState<string>();

  const reload = useCallback(async (): Promise<void> => {
    try {
      setGrants(await rest.listGrants(name));
    } catch (error) {
      setFailure((error as Error).message);
    }
  }, [rest, name]);
  const change = async (act: () => Promise<void>): Promise<void> => {
    try {
      await act();
      setFailure(undefined);
    } catch (error) {
      setFailure((error as Error).message);
    }
    await reload();
  };
  useEffect(() => void reload(), [reload]);

  useEffect(() => {
    const end = firstEnd(grants ?? []);
    if (end === undefined) return;
    const wait = Math.max(end - Date.now(), 0) + CLOCKS_APART_MS;
    const timer = setTimeout(() => void reload(), Math.min(wait, LONGEST_TIMER_MS));
    return () => clearTimeout(timer);
  }, [grants, reload]);

  return {
    grants,
    failure,
    put: (subject, grant) => void change(() => rest.putGrant(name, subject, grant)),
    remove: (subject) => void change(() => rest.deleteGrant(name, subject)),
  };
}

/** Milliseconds since 1970; `undefined` when nothing ends. */
function firstEnd(grants: readonly Grant[]): number | undefined {
  const ends = grants.flatMap(({ expiresAt }) => (expiresAt ? [Date.parse(expiresAt)] : []));
  return ends.length === 0 ? undefined : Math.min(...ends);
}
