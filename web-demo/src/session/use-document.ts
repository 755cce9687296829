import { useCallback, useEffect, useState, useSyncExternalStore } from 'react';
import { agreedClocks } from './agreed.ts';
import { DocumentSession, type SessionOptions, type SessionState } from './document-session.ts';
import { forgetsLocalCopy, isOfEarlierDocument, needsFreshCopy } from './endings.ts';
import { forgetLocalCopy } from './local-copy.ts';
import type { SessionEnd } from './status.ts';
import { unsavedBlocks } from './unsaved.ts';

export interface UnsavedText {
  readonly reason: string;
  readonly blocks: readonly string[];
}

export interface OpenDocument {
  readonly session: DocumentSession;
  readonly state: SessionState;
  readonly unsaved: UnsavedText | undefined;
  /** The copy was thrown away and opened anew so often that somebody should look. */
  readonly givenUp: boolean;
  readonly dismissUnsaved: () => void;
  /** Opens the document anew, after whatever ended it. */
  readonly reopen: () => void;
}

/** A client that is refused again and again must not knock for ever. */
const MAX_FRESH_COPIES = 3;
const FRESH_COPY_WINDOW_MS = 30_000;

/**
 * Keeps a document open for one person. When the server says that this copy can't go on, the Y.Doc and the
 * local copy are replaced by fresh ones, and what was only in them is handed to the person as text.
 */
export function useDocument(options: SessionOptions): OpenDocument | undefined {
  const { url, name, user, token, tokenRenewable } = options;
  const [session, setSession] = useState<DocumentSession>();
  const [unsaved, setUnsaved] = useState<UnsavedText>();
  const [attempt, setAttempt] = useState(0);
  const [givenUp, setGivenUp] = useState(false);

  useEffect(() => {
    let current: DocumentSession | undefined;
    let stopped = false;
    const freshCopies: number[] = [];

    const start = (): DocumentSession => {
      const opened = new DocumentSession({ url, name, user, token, tokenRenewable });
      let handled = false;
      opened.subscribe(() => {
        const { end } = opened.state();
        if (handled || !end || end.retryable) return;
        handled = true;
        if (needsFreshCopy(end)) void replace(opened, end);
        else if (forgetsLocalCopy(end)) void forget(opened, end.message);
      });
      current = opened;
      setSession(opened);
      return opened;
    };

    const replace = async (refused: DocumentSession, end: SessionEnd): Promise<void> => {
      const now = Date.now();
      freshCopies.push(now);
      if (freshCopies.filter((at) => now - at < FRESH_COPY_WINDOW_MS).length > MAX_FRESH_COPIES) {
        setGivenUp(true);
        return;
      }
      await forgetLocalCopy(refused.localName).catch(() => undefined);
      if (stopped || current !== refused) return;
      const fresh = start();
      await whenSynced(fresh);
      // What was saved in an earlier document went with it.
      const saved = isOfEarlierDocument(end)
        ? refused.savedClocks
        : agreedClocks({ mine: refused.doc, theirs: fresh.doc, disputed: refused.disputedClient });
      const blocks = unsavedBlocks(refused.doc, saved);
      if (!stopped) setUnsaved({ reason: end.message, blocks });
      refused.destroy();
    };

    const forget = async (ended: DocumentSession, reason: string): Promise<void> => {
      const blocks = unsavedBlocks(ended.doc, ended.savedClocks);
      if (blocks.length > 0) setUnsaved({ reason, blocks });
      await forgetLocalCopy(ended.localName).catch(() => undefined);
    };

    start();
    return () => {
      stopped = true;
      current?.destroy();
      setSession(undefined);
    };
  }, [url, name, user, token, tokenRenewable, attempt]);

  const state = useSyncExternalStore(session?.subscribe ?? subscribeToNothing, session?.state ?? noState);
  const dismissUnsaved = useCallback(() => setUnsaved(undefined), []);
  const reopen = useCallback(() => {
    setGivenUp(false);
    setAttempt((count) => count + 1);
  }, []);
  return session && state && { session, state, unsaved, givenUp, dismissUnsaved, reopen };
}

function whenSynced(session: DocumentSession): Promise<void> {
  return new Promise((resolve) => {
    const settled = (): boolean => session.state().synced || session.state().end?.retryable === false;
    if (settled()) return resolve();
    const stop = session.subscribe(() => {
      if (!settled()) return;
      stop();
      resolve();
    });
  });
}

const subscribeToNothing = () => () => undefined;
const noState = () => undefined;
