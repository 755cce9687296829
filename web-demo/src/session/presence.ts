import { useEffect, useState } from 'react';
import type { Awareness } from 'y-protocols/awareness';

/** Somebody who is here, in however many tabs. */
export interface Present {
  readonly id: string;
  readonly name: string;
  readonly color: string;
  readonly self: boolean;
  readonly tabs: number;
  /** Has the caret, or a selection, somewhere in the text. */
  readonly caret: boolean;
}

const COLOR = /^#[0-9a-f]{6}$/i;
export const NEUTRAL_COLOR = '#6b6459';

/** People, not connections: whoever has three tabs open is one person. Oneself comes first. */
export function peopleOf(
  states: ReadonlyMap<number, unknown>,
  selfClient: number,
  selfId: string,
): Present[] {
  const people = new Map<string, Present>();
  for (const [client, state] of states) {
    const user = userOf(state);
    if (!user) continue;
    const self = client === selfClient || user.id === selfId;
    const id = self ? selfId : user.id;
    const known = people.get(id);
    const caret = known?.caret === true || hasCaret(state);
    people.set(id, { ...user, id, self, tabs: (known?.tabs ?? 0) + 1, caret });
  }
  return [...people.values()].sort(
    (one, other) =>
      Number(other.self) - Number(one.self) ||
      one.name.localeCompare(other.name, undefined, { numeric: true }),
  );
}

function userOf(state: unknown): { id: string; name: string; color: string } | undefined {
  if (!isRecord(state) || !isRecord(state['user'])) return undefined;
  const { id, name, color } = state['user'];
  if (typeof name !== 'string' || name === '') return undefined;
  return {
    id: typeof id === 'string' ? id : name,
    name,
    color: typeof color === 'string' && COLOR.test(color) ? color : NEUTRAL_COLOR,
  };
}

/** Whoever leaves the text takes the caret out of it. */
function hasCaret(state: unknown): boolean {
  return isRecord(state) && isRecord(state['cursor']);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

export function usePeople(awareness: Awareness, selfId: string): readonly Present[] {
  const [people, setPeople] = useState<readonly Present[]>([]);
  useEffect(() => {
    let last = '';
    const read = (): void => {
      const next = peopleOf(awareness.getStates(), awareness.clientID, selfId);
      const key = JSON.stringify(next);
      // Carets move all the time; people seldom come and go.
      if (key === last) return;
      last = key;
      setPeople(next);
    };
    read();
    awareness.on('change', read);
    return () => awareness.off('change', read);
  }, [awareness, selfId]);
  return people;
}
