import { useEffect } from 'react';
import { isTokenRefused } from '../api/rest.ts';
import { useIdentity } from '../identity/identity.tsx';
import type { SessionEnd } from '../session/status.ts';
import { useStableCallback } from '../ui/use-stable-callback.ts';

/** The ends that an invitation undoes. */
const UNINVITED = new Set(['access-removed', 'document-not-found']);

/**
 * Who has just come may be about to be let in, as when the document is being made at this moment. Growing by a quarter, each
 * wait is about a quarter of all those before it: what one notices late, one has waited for anyway. In the first minute
 * it is a dozen questions.
 */
const FIRST_WAIT_MS = 1_000;
const GROWTH = 1.25;
const LONGEST_WAIT_MS = 30_000;

export interface InvitationOptions {
  readonly name: string;
  readonly end: SessionEnd | undefined;
  readonly onInvited: () => void;
}

/**
 * Nobody tells a person without access that they have some: the page asks, ever more seldom and only while it is
 * looked at. A session is opened when the answer is yes, because each refused one costs the server a connection.
 */
export function useInvitation({ name, end, onInvited }: InvitationOptions): void {
  const { rest } = useIdentity();
  const invited = useStableCallback(onInvited);
  const code = end?.code;

  useEffect(() => {
    if (code === undefined || !UNINVITED.has(code)) return;
    let wait = FIRST_WAIT_MS;
    let timer: ReturnType<typeof setTimeout> | undefined;
    let stopped = false;

    const look = (): void => {
      clearTimeout(timer);
      if (document.visibilityState === 'hidden') return;
      rest.readDocument(name).then(
        // Who administers sees a document without being let in.
        ({ role }) => (role === null ? lookLater() : !stopped && invited()),
        (error: Error) => !isTokenRefused(error) && lookLater(),
      );
    };
    const lookLater = (): void => {
      if (stopped) return;
      clearTimeout(timer);
      timer = setTimeout(look, wait * (0.75 + Math.random() / 2));
      wait = Math.min(LONGEST_WAIT_MS, wait * GROWTH);
    };
    lookLater();
    document.addEventListener('visibilitychange', look);
    return () => {
      stopped = true;
      clearTimeout(timer);
      document.removeEventListener('visibilitychange', look);
    };
  }, [rest, name, code, invited]);
}
