import { createContext, use, useCallback, useEffect, useMemo, useRef, useState, type ReactNode } from 'react';
import { createRest, type Rest, type TokenSource } from '../api/rest.ts';
import { recall, remember } from '../ui/storage.ts';
import { useToast } from '../ui/toast.tsx';
import { nameOfUser, PEOPLE, personOf, type Person } from './people.ts';
import { claimsScope, demoTokens, NoDemoTokensError, personOfToken } from './tokens.ts';
import { SignInPage } from './sign-in-page.tsx';

export interface Identity {
  readonly person: Person;
  readonly token: TokenSource;
  readonly rest: Rest;
  /** `demo`: one of the sample people, changed at will. `token`: whoever the token says. */
  readonly kind: 'demo' | 'token';
  /** Whether the status of the cluster is for this person. */
  readonly administers: boolean;
  readonly become: (sub: string) => void;
  /** Gives up the token, and asks for another. */
  readonly forgetToken: () => void;
}

const IdentityContext = createContext<Identity | undefined>(undefined);

export function useIdentity(): Identity {
  const identity = use(IdentityContext);
  if (!identity) throw new Error('useIdentity needs an IdentityProvider around it.');
  return identity;
}

/** Session storage belongs to one tab: two tabs can be two people. */
const STORAGE_KEY = 'weft.person';
/** Characters of a name out of the address. */
const MAX_SHOWN = 40;

export function IdentityProvider({ children }: { children: ReactNode }) {
  // In memory only: a token in storage outlives the reason it was given for.
  const [bearer, setBearer] = useState(takeTokenFromAddress);
  const [{ sub: first, unknown }] = useState(initialPerson);
  const [sub, setSub] = useState(first);
  const [demoRefused, setDemoRefused] = useState(false);

  useEffect(() => {
    const onHashChange = (): void => {
      const token = takeTokenFromAddress();
      if (token) setBearer(token);
    };
    window.addEventListener('hashchange', onHashChange);
    return () => window.removeEventListener('hashchange', onHashChange);
  }, []);

  const toast = useToast();
  const told = useRef(false);
  useEffect(() => {
    if (!unknown || told.current || bearer !== undefined || demoRefused) return;
    told.current = true;
    toast(`Nobody here is called “${unknown}”: you are ${nameOfUser(sub)}.`);
  }, [toast, unknown, sub, bearer, demoRefused]);

  const become = useCallback((next: string) => {
    remember('sessionStorage', STORAGE_KEY, next);
    setSub(next);
  }, []);

  const forgetToken = useCallback(() => setBearer(undefined), []);

  const identity = useMemo<Identity | undefined>(() => {
    const bringer = bearer === undefined ? undefined : personOfToken(bearer);
    if (bearer !== undefined && bringer) {
      const token = (): Promise<string> => Promise.resolve(bearer);
      const administers = claimsScope(bearer, 'admin');
      const rest = createRest(token);
      return { kind: 'token', person: bringer, administers, token, rest, become, forgetToken };
    }
    const person = personOf(sub) ?? PEOPLE[0];
    const tokens = demoTokens(person);
    const token: TokenSource = (options) =>
      tokens(options).catch((error: unknown) => {
        if (error instanceof NoDemoTokensError) setDemoRefused(true);
        throw error;
      });
    // The development server makes an administrator of whoever asks.
    const rest = createRest(token);
    return { kind: 'demo', person, administers: true, token, rest, become, forgetToken };
  }, [bearer, sub, become, forgetToken]);

  if (!identity || (identity.kind === 'demo' && demoRefused)) return <SignInPage onToken={setBearer} />;
  // Nothing of one person may stay on the screen of the next.
  return (
    <IdentityContext key={identity.person.sub} value={identity}>
      {children}
    </IdentityContext>
  );
}

/** `#token=…` in the address; it is taken out of the address and the history at once. */
function takeTokenFromAddress(): string | undefined {
  const token = new URLSearchParams(location.hash.slice(1)).get('token');
  if (!token) return undefined;
  history.replaceState(history.state, '', location.pathname + location.search);
  return token;
}

interface InitialPerson {
  readonly sub: string;
  /** Who was asked for, and is none of the sample people. */
  readonly unknown: string | undefined;
}

/** `?as=grace` opens a tab as somebody; it is taken out of the address so that a copied link is nobody's. */
function initialPerson(): InitialPerson {
  const search = new URLSearchParams(location.search);
  const asked = search.get('as')?.trim();
  if (asked !== undefined) {
    search.delete('as');
    const rest = search.size > 0 ? `?${search.toString()}` : '';
    history.replaceState(history.state, '', location.pathname + rest + location.hash);
  }
  const kept = recall('sessionStorage', STORAGE_KEY);
  // People are called by their names.
  const wanted = personOf(asked?.toLowerCase() ?? '');
  const { sub } = wanted ?? personOf(kept ?? '') ?? PEOPLE[0];
  remember('sessionStorage', STORAGE_KEY, sub);
  return { sub, unknown: wanted ? undefined : asked?.slice(0, MAX_SHOWN) };
}
