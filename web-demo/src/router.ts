import { useSyncExternalStore, type MouseEvent } from 'react';

export type Route =
  | { readonly page: 'start' }
  | { readonly page: 'document'; readonly name: string }
  | { readonly page: 'status' }
  | { readonly page: 'unknown' };

const DOCUMENT = /^\/d\/([^/]+)\/?$/;

export function routeOf(path: string): Route {
  if (path === '/' || path === '/index.html') return { page: 'start' };
  if (path === '/status') return { page: 'status' };
  const encoded = DOCUMENT.exec(path)?.[1];
  const name = encoded === undefined ? undefined : decode(encoded);
  return name === undefined ? { page: 'unknown' } : { page: 'document', name };
}

export function documentPath(name: string): string {
  return `/d/${encodeURIComponent(name)}`;
}

function decode(encoded: string): string | undefined {
  try {
    return decodeURIComponent(encoded);
  } catch {
    return undefined;
  }
}

const NAVIGATED = 'weft:navigated';

/** `state` is kept with the entry of the history. */
export function navigate(path: string, state: unknown = null): void {
  history.pushState(state, '', path);
  window.dispatchEvent(new Event(NAVIGATED));
  window.scrollTo(0, 0);
}

export function usePath(): string {
  return useSyncExternalStore(subscribe, () => location.pathname);
}

function subscribe(listener: () => void): () => void {
  window.addEventListener('popstate', listener);
  window.addEventListener(NAVIGATED, listener);
  return () => {
    window.removeEventListener('popstate', listener);
    window.removeEventListener(NAVIGATED, listener);
  };
}

/** For links: a plain click stays in the page, anything else is the browser's. */
export function onLinkClick(event: MouseEvent<HTMLAnchorElement>): void {
  const plain = event.button === 0 && !event.metaKey && !event.ctrlKey && !event.shiftKey && !event.altKey;
  if (!plain || event.defaultPrevented) return;
  event.preventDefault();
  navigate(event.currentTarget.pathname);
}
