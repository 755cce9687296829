/**
 * Two people who use one browser must never share a copy: what one may read, the other may not, and edits of
 * one must not be sent in the name of the other.
 */
export function localCopyName(user: string, document: string): string {
  return `weft:${encodeURIComponent(user)}:${encodeURIComponent(document)}`;
}

/**
 * Empties the stores instead of deleting the database: a deletion waits for every other tab that has it open,
 * and blocks all later opens meanwhile.
 */
export async function forgetLocalCopy(name: string): Promise<void> {
  const db = await openExisting(name);
  if (!db) return;
  try {
    const stores = [...db.objectStoreNames];
    if (stores.length === 0) return;
    await new Promise<void>((resolve, reject) => {
      const transaction = db.transaction(stores, 'readwrite');
      transaction.oncomplete = () => resolve();
      transaction.onabort = () =>
        reject(transaction.error ?? new Error('The local copy could not be cleared.'));
      for (const store of stores) transaction.objectStore(store).clear();
    });
  } finally {
    db.close();
  }
}

function openExisting(name: string): Promise<IDBDatabase | undefined> {
  return new Promise((resolve) => {
    const request = indexedDB.open(name);
    // Opening what does not exist would create it, empty and without stores.
    request.onupgradeneeded = () => request.transaction?.abort();
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => resolve(undefined);
  });
}
