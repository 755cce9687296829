import { useEffect, useState } from 'react';
import type * as Y from 'yjs';
import { commentsOf, readThreads, type Thread } from './threads.ts';

export function useThreads(doc: Y.Doc): readonly Thread[] {
  const [threads, setThreads] = useState<readonly Thread[]>([]);
  useEffect(() => {
    const read = (): void => setThreads(readThreads(doc));
    read();
    const comments = commentsOf(doc);
    comments.observeDeep(read);
    return () => comments.unobserveDeep(read);
  }, [doc]);
  return threads;
}
