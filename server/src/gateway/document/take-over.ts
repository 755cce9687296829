import type { Document } from '@hocuspocus/server';

/** Which hooks users' own extensions have. */
export interface HeardHooks {
  has(hook: 'onChange' | 'onStoreDocument' | 'onAwarenessUpdate'): boolean;
}

/** Called on every change, synchronously, within its Yjs transaction. */
export type Changed = (update: Uint8Array, origin: unknown) => void;

/**
 * Replaces what Hocuspocus does on every change of a document: its broadcast, its awareness relay, its timers. What
 * users' extensions listen to stays.
 */
export function takeOver(document: Document, userHooks: HeardHooks, changed: Changed): void {
  const hocuspocusChange = document.callbacks.onUpdate;
  const wanted = userHooks.has('onChange') || userHooks.has('onStoreDocument');
  document.onUpdate((_document, origin, update) => {
    changed(update, origin);
    if (wanted) hocuspocusChange(document, origin, update);
  });
  const hidden = document as unknown as {
    broadcastUpdate: () => void;
    broadcastAwarenessUpdate: () => void;
  };
  hidden.broadcastUpdate = () => undefined;
  hidden.broadcastAwarenessUpdate = () => undefined;
  const awareness = document.awareness as unknown as {
    _checkInterval: NodeJS.Timeout;
    _observers: Map<string, Set<unknown>>;
  };
  // The registry and the sessions know who is here; Yjs' timer per document only costs.
  clearInterval(awareness._checkInterval);
  // Hocuspocus' own observer is the first: it would remove the presence of whoever disconnects, grace or not.
  const observers = awareness._observers.get('update');
  const [own] = observers ?? [];
  if (userHooks.has('onAwarenessUpdate')) observers?.delete(own);
  else observers?.clear();
}

/**
 * Loads the document with nobody told. Yjs encodes each change for whoever listens, which for a whole document is a tenth
 * of loading it; and when only Hocuspocus does, there is nobody yet whom it could tell.
 */
export function loadUnheard(document: Document, load: () => void): void {
  const { _observers: observers } = document as unknown as { _observers: Map<string, Set<unknown>> };
  const listeners = observers.get('update');
  if (listeners?.size !== 1) return load();
  observers.delete('update');
  try {
    load();
  } finally {
    observers.set('update', listeners);
  }
}
