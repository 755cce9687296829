import { useCallback, useEffect, useState } from 'react';
import type { Awareness } from 'y-protocols/awareness';
import { useIdentity } from '../identity/identity.tsx';
import { useToast } from '../ui/toast.tsx';

const HINT = 'renamedAt';
/** Somebody may rename from the list, where no hint comes from. */
const LOOK_AGAIN_MS = 30_000;

export interface Title {
  readonly title: string;
  readonly rename: (title: string) => void;
}

export interface TitleOptions {
  readonly name: string;
  readonly awareness: Awareness;
  /** Nothing can be asked about the document any more. */
  readonly ended: boolean;
}

/** The title is the server's. Presence carries only the hint that it has changed. */
export function useTitle({ name, awareness, ended }: TitleOptions): Title {
  const { rest } = useIdentity();
  const toast = useToast();
  const [title, setTitle] = useState<string>();

  useEffect(() => {
    if (ended) return;
    let latestHint = 0;
    let stopped = false;
    const read = (): void => {
      rest.readDocument(name).then(
        (found) => !stopped && setTitle(found.title),
        // The session tells the person what is wrong; the title can wait.
        () => undefined,
      );
    };
    const onPresence = (): void => {
      const hint = newestHint(awareness.getStates());
      if (hint <= latestHint) return;
      latestHint = hint;
      read();
    };
    read();
    const timer = setInterval(read, LOOK_AGAIN_MS);
    awareness.on('change', onPresence);
    return () => {
      stopped = true;
      clearInterval(timer);
      awareness.off('change', onPresence);
    };
  }, [rest, name, awareness, ended]);

  const rename = useCallback(
    (next: string) => {
      const before = title;
      setTitle(next);
      rest.renameDocument(name, next).then(
        () => awareness.setLocalStateField(HINT, Date.now()),
        (error: Error) => {
          setTitle(before);
          toast(error.message, { tone: 'danger' });
        },
      );
    },
    [rest, name, awareness, title, toast],
  );
  return { title: title ?? '', rename };
}

function newestHint(states: ReadonlyMap<number, Record<string, unknown>>): number {
  const hints = [...states.values()].map((state) => state[HINT]);
  return Math.max(0, ...hints.filter((hint): hint is number => typeof hint === 'number'));
}
