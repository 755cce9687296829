import { useEffect, useState } from 'react';
import type { Status } from '../session/status.ts';

const SETTLE_MS = 350;

/**
 * While somebody types, each keystroke is saved and the next is not: "Saved" is shown once it has been true for
 * a moment. Only good news waits. Bad news never does.
 */
export function useSettled(status: Status): Status {
  const [shown, setShown] = useState(status);
  const immediate = status.kind !== 'saved' || shown.kind === 'saved';
  if (immediate && shown !== status) setShown(status);

  useEffect(() => {
    if (status.kind !== 'saved') return;
    const timer = setTimeout(() => setShown(status), SETTLE_MS);
    return () => clearTimeout(timer);
  }, [status]);
  return immediate ? status : shown;
}
