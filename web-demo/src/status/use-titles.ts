import { useEffect, useMemo, useState } from 'react';
import { createRest } from '../api/rest.ts';

/** By document name; missing until it is known. */
export type Titles = ReadonlyMap<string, string>;

/** Asks for the title of each document once. A name is an address, and often says nothing to people. */
export function useTitles(names: readonly string[], token: () => Promise<string>): Titles {
  const rest = useMemo(() => createRest(token), [token]);
  const [asked] = useState(() => new Set<string>());
  const [titles, setTitles] = useState<Titles>(new Map());
  const list = JSON.stringify(names);

  useEffect(() => {
    for (const name of JSON.parse(list) as string[]) {
      if (asked.has(name)) continue;
      asked.add(name);
      rest.readDocument(name).then(
        ({ title }) => setTitles((known) => new Map(known).set(name, title)),
        // Its name is shown until the page is opened again.
        () => undefined,
      );
    }
  }, [list, rest, asked]);

  return titles;
}
