import { useCallback, useEffect, useState } from 'react';
import { useIdentity, type Identity } from '../identity/identity.tsx';
import type { ClusterState } from './cluster.ts';
import { useTitles, type Titles } from './use-titles.ts';

export type Cluster =
  | { readonly state: 'loading' }
  /** `failure`: the newest question was not answered; what is shown is older. */
  | { readonly state: 'known'; readonly cluster: ClusterState; readonly failure: string | undefined }
  | { readonly state: 'forbidden' }
  | { readonly state: 'failed'; readonly failure: string };

const INTERVAL_MS = 1_000;
const TIMEOUT_MS = 5_000;

/** Asks every second while the page is looked at. */
export function useCluster(): { readonly cluster: Cluster; readonly titles: Titles } {
  const identity = useIdentity();
  const [cluster, setCluster] = useState<Cluster>({ state: 'loading' });
  const token = useAdminToken(identity);

  useEffect(() => {
    let stopped = false;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const ask = async (): Promise<void> => {
      if (document.visibilityState === 'visible') {
        const next = await read(token);
        if (stopped) return;
        setCluster((known) => (next.state === 'failed' ? keep(known, next.failure) : next));
        if (next.state === 'forbidden') return;
      }
      timer = setTimeout(() => void ask(), INTERVAL_MS);
    };
    void ask();
    return () => {
      stopped = true;
      clearTimeout(timer);
    };
  }, [token]);

  const names = cluster.state === 'known' ? cluster.cluster.documents.map(({ name }) => name) : [];
  return { cluster, titles: useTitles(names, token) };
}

function keep(known: Cluster, failure: string): Cluster {
  return known.state === 'known' ? { ...known, failure } : { state: 'failed', failure };
}

/** The sample people are no administrators, but the development server makes a token for whoever asks. */
function useAdminToken({ kind, person, token }: Identity): () => Promise<string> {
  const [cache] = useState<{ token?: Promise<string> }>({});
  return useCallback(() => {
    if (kind === 'token') return token();
    cache.token ??= demoAdminToken(person.sub, person.name).catch((error: unknown) => {
      delete cache.token;
      throw error;
    });
    return cache.token;
  }, [kind, person, token, cache]);
}

async function demoAdminToken(sub: string, name: string): Promise<string> {
  const response = await fetch('/dev/token', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ sub, name, scope: 'admin', expiresIn: 86_400 }),
    signal: AbortSignal.timeout(TIMEOUT_MS),
  });
  if (!response.ok) throw new Error(`The server answered ${response.status}.`);
  return ((await response.json()) as { token: string }).token;
}

async function read(token: () => Promise<string>): Promise<Cluster> {
  try {
    const response = await fetch('/v1/cluster', {
      headers: { authorization: `Bearer ${await token()}` },
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    if (response.status === 401 || response.status === 403) return { state: 'forbidden' };
    if (!response.ok) return { state: 'failed', failure: `The server answered ${response.status}.` };
    return { state: 'known', cluster: (await response.json()) as ClusterState, failure: undefined };
  } catch {
    return { state: 'failed', failure: 'No instance can be reached.' };
  }
}
