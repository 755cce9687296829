/** Browsers may forbid storage, or have none left: then nothing is remembered, and all else goes on. */
type Kind = 'sessionStorage' | 'localStorage';

export function recall(kind: Kind, key: string): string | undefined {
  try {
    return window[kind].getItem(key) ?? undefined;
  } catch {
    return undefined;
  }
}

export function remember(kind: Kind, key: string, value: string): void {
  try {
    window[kind].setItem(key, value);
  } catch {
    // Said above.
  }
}

export function forget(kind: Kind, key: string): void {
  try {
    window[kind].removeItem(key);
  } catch {
    // Said above.
  }
}
