import type { Principal } from '@weft/common';
import { applyStates, AwarenessGate, encodeAwareness, type AwarenessEntry } from '@weft/presence';
import { afterAll, beforeEach, expect, test, vi } from 'vitest';
import { applyAwarenessUpdate, Awareness } from 'y-protocols/awareness';
import { Doc } from 'yjs';
import { PresumedPresence } from './presumed-presence.ts';

// Before y-protocols is loaded: it keeps the clock that it finds.
vi.hoisted(() => vi.useFakeTimers({ now: Date.UTC(2026, 0, 1) }));
afterAll(() => vi.useRealTimers());

const ALICE = 1;
const BOB = 2;

function session(user: string) {
  const nothing = { name: undefined, color: undefined, tokenId: undefined };
  const principal: Principal = {
    ...nothing,
    ...{ tenant: 'default', user, groups: [], scopes: [], grants: {}, expiresAt: 0 },
  };
  return { principal };
}

function newAwareness(): Awareness {
  const awareness = new Awareness(new Doc());
  awareness.setLocalState(null);
  return awareness;
}

/** Alice and Bob are at another instance, Carol at this one. */
function instance(options: { presumeFor?: number } = {}) {
  const [here, there] = [newAwareness(), newAwareness()];
  const gates = {
    here: new AwarenessGate({ awareness: here }),
    there: new AwarenessGate({ awareness: there }),
  };
  const carol = newAwareness();
  const uninformed = newAwareness();
  const tell = (entries: readonly AwarenessEntry[]) => {
    if (entries.length > 0) applyAwarenessUpdate(carol, encodeAwareness(entries), 'provider');
  };
  const removed: number[] = [];
  let entered: ReadonlySet<number> | undefined;
  let whileAsked = () => {};
  const presumed = new PresumedPresence({
    clock: { now: () => Date.now() },
    ...options,
    port: {
      documents: () => ['document'],
      elsewhere: () => gates.here.elsewhere(),
      renew: (_, clients) => {
        const entries = gates.here.renewal(clients);
        applyStates(here, entries, null);
        tell(entries);
      },
      remove: (_, clients) => {
        removed.push(...clients);
        const update = gates.here.removal(clients);
        for (const awareness of [here, carol]) applyAwarenessUpdate(awareness, update!, null);
      },
      clientsIn: async () => {
        whileAsked();
        return entered;
      },
    },
  });
  const people = { alice: session('alice'), bob: session('bob') };
  let moves = 0;
  return {
    presumed,
    removed,
    whenAsked: (happens: () => void) => (whileAsked = happens),
    enter: (...clients: number[]) => (entered = clients.length > 0 ? new Set(clients) : undefined),
    carol: () => [...carol.states.keys()].sort(),
    uninformed: () => [...uninformed.states.keys()].sort(),
    stateOf: (client: number) => carol.states.get(client),
    /** Somebody moves at their instance, which publishes it or cannot. */
    move(client: number, publish: 'published' | 'unheard' = 'published') {
      const state = { at: ++moves };
      const from = client === ALICE ? people.alice : people.bob;
      const { update, entries } = gates.there.accept(
        from,
        encodeAwareness([{ client, clock: moves, state }]),
      );
      applyStates(there, entries, null);
      if (publish === 'unheard') return;
      const observed = gates.here.observe(update!);
      applyStates(here, observed.entries, null);
      tell(observed.entries);
      applyAwarenessUpdate(uninformed, update!, 'provider');
    },
    async pass(seconds: number) {
      for (let second = 0; second < seconds; second++) {
        await vi.advanceTimersByTimeAsync(1_000);
        presumed.sweep();
      }
    },
  };
}

let one: ReturnType<typeof instance>;

beforeEach(() => {
  one = instance();
  for (const client of [ALICE, BOB]) one.move(client);
});

test('P5.7 people of other instances are shown through an outage, and their next move is news', async () => {
  one.presumed.away();
  one.move(ALICE, 'unheard');
  await one.pass(120);
  expect(one.uninformed()).toEqual([]);
  expect(one.carol()).toEqual([ALICE, BOB]);
  expect(one.stateOf(ALICE)).toMatchObject({ at: 1 });
  one.presumed.back();
  one.enter(ALICE, BOB);
  for (const client of [ALICE, BOB]) one.move(client);
  expect(one.stateOf(ALICE)).toMatchObject({ at: 4, user: { id: 'alice' } });
  await one.pass(25);
  expect(one.carol()).toEqual([ALICE, BOB]);
  expect(one.removed).toEqual([]);
  // Nothing is presumed any longer.
  await one.pass(40);
  expect(one.carol()).toEqual([]);
});

test('P5.7 who left meanwhile is gone soon after the outage, once the registry can be asked', async () => {
  one.presumed.away();
  await one.pass(20);
  one.presumed.back();
  await one.pass(12);
  expect(one.carol()).toEqual([ALICE, BOB]);
  one.enter(ALICE);
  await one.pass(2);
  expect(one.carol()).toEqual([ALICE]);
  expect(one.removed).toEqual([BOB]);
});

test('P5.7 who is heard again after an outage is there, whether entered already or not', async () => {
  one.presumed.away();
  await one.pass(3);
  one.presumed.back();
  await one.pass(2);
  one.enter(ALICE);
  one.move(BOB);
  await one.pass(12);
  expect(one.carol()).toEqual([ALICE, BOB]);
  expect(one.removed).toEqual([]);
});

test('P5.7 what the registry said just before the next outage takes nobody away', async () => {
  one.presumed.away();
  await one.pass(3);
  one.presumed.back();
  one.enter(99);
  one.whenAsked(() => one.presumed.away());
  await one.pass(30);
  expect(one.carol()).toEqual([ALICE, BOB]);
  expect(one.removed).toEqual([]);
});

test('P5.7 an outage that flickers is one outage', async () => {
  one.presumed.away();
  one.enter(99);
  for (let flicker = 0; flicker < 12; flicker++) {
    await one.pass(6);
    one.presumed.back();
    await one.pass(4);
    one.presumed.away();
  }
  expect(one.carol()).toEqual([ALICE, BOB]);
  expect(one.removed).toEqual([]);
});

test('P6.10 nobody is presumed to be there for ever', async () => {
  const two = instance({ presumeFor: 60_000 });
  two.move(ALICE);
  two.presumed.away();
  await two.pass(80);
  expect(two.carol()).toEqual([ALICE]);
  await two.pass(20);
  expect(two.carol()).toEqual([]);
});
