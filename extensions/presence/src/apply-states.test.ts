import { seededRandom } from '@weft/harness';
import { expect, test } from 'vitest';
import { applyAwarenessUpdate, Awareness } from 'y-protocols/awareness';
import * as Y from 'yjs';
import { applyStates } from './apply-states.ts';
import { encodeAwareness, type AwarenessEntry } from './awareness-frame.ts';

/** As a document's on a server: nobody's own. Tells everything that observers are told. */
function observed() {
  const awareness = new Awareness(Object.assign(new Y.Doc(), { clientID: 99 }));
  awareness.setLocalState(null);
  const told: unknown[] = [];
  for (const name of ['change', 'update'] as const) {
    awareness.on(name, (changes: unknown, origin: unknown) => told.push([name, changes, origin]));
  }
  return { awareness, told };
}

test('P7.7 states that are parsed already change what they would as an update, and tell the same', () => {
  const random = seededRandom(511);
  const [theirs, ours] = [observed(), observed()];
  for (let step = 0; step < 400; step++) {
    const clients = new Set(Array.from({ length: 1 + random.integer(3) }, () => 1 + random.integer(4)));
    const entries = [...clients].map((client): AwarenessEntry => ({
      client,
      clock: random.integer(step / 4 + 2),
      state: random.integer(4) === 0 ? null : { at: random.integer(3), in: ['text'] },
    }));
    applyAwarenessUpdate(theirs.awareness, encodeAwareness(entries), step);
    applyStates(ours.awareness, entries, step);
  }
  expect(ours.told).toEqual(theirs.told);
  expect(ours.told.length).toBeGreaterThan(100);
  expect(ours.awareness.states).toEqual(theirs.awareness.states);
  const clocksOf = ({ awareness }: { awareness: Awareness }) =>
    [...awareness.meta].map(([client, { clock }]) => [client, clock]);
  expect(clocksOf(ours)).toEqual(clocksOf(theirs));
  for (const { awareness } of [theirs, ours]) awareness.destroy();
});
