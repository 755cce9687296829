import { useCallback, useLayoutEffect, useRef } from 'react';

/**
 * The same function in every rendering, which does what the latest one does: what is given nothing but such need not be
 * rendered again. For events only, not for what is called while rendering.
 */
export function useStableCallback<Args extends unknown[], Result>(
  callback: (...args: Args) => Result,
): (...args: Args) => Result {
  const latest = useRef(callback);
  useLayoutEffect(() => {
    latest.current = callback;
  });
  return useCallback((...args: Args) => latest.current(...args), []);
}
