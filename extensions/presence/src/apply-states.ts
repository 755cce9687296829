import { isDeepStrictEqual } from 'node:util';
import { steadyClock } from '@weft/common';
import type { Awareness } from 'y-protocols/awareness';
import type { AwarenessEntry } from './awareness-frame.ts';

/** What an awareness tells its observers: the clients of each kind. */
interface Changes {
  readonly added: number[];
  readonly updated: number[];
  readonly removed: number[];
}

/**
 * `applyAwarenessUpdate` of y-protocols for states that are parsed already, as the gate's are: a crowd's cursors would
 * else be read twice, which is a quarter of what taking one costs. When they came is by {@link steadyClock}.
 */
export function applyStates(awareness: Awareness, entries: readonly AwarenessEntry[], origin: unknown): void {
  const lastUpdated = steadyClock.now();
  const changes: Changes = { added: [], updated: [], removed: [] };
  const different: number[] = [];
  const observed = awareness._observers.has('change');
  for (const { client, clock, state } of entries) {
    const known = awareness.meta.get(client);
    const before = awareness.states.get(client);
    const newer = (known?.clock ?? 0) < clock;
    if (!newer && !(known?.clock === clock && state === null && before)) continue;
    if (state === null) awareness.states.delete(client);
    else awareness.states.set(client, state);
    awareness.meta.set(client, { clock, lastUpdated });
    if (state === null) {
      if (known) changes.removed.push(client);
    } else if (!known) changes.added.push(client);
    else {
      changes.updated.push(client);
      if (observed && !isDeepStrictEqual(state, before)) different.push(client);
    }
  }
  tell(awareness, { changes, different, origin });
}

function tell(
  awareness: Awareness,
  { changes, different, origin }: { changes: Changes; different: number[]; origin: unknown },
): void {
  const { added, updated, removed } = changes;
  if (added.length + removed.length + different.length > 0)
    awareness.emit('change', [{ added, updated: different, removed }, origin]);
  if (added.length + removed.length + updated.length > 0) awareness.emit('update', [changes, origin]);
}
