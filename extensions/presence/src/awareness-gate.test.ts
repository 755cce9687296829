import {
  applyAwarenessUpdate,
  Awareness,
  encodeAwarenessUpdate,
  removeAwarenessStates,
} from 'y-protocols/awareness';
import { Doc } from 'yjs';
import { afterEach, describe, expect, test } from 'vitest';
import type { Principal } from '@weft/common';
import { encodeAwareness, readAwarenessFrame, type AwarenessEntry } from './awareness-frame.ts';
import { AwarenessGate, type AwarenessGateOptions } from './awareness-gate.ts';
import type { AwarenessSession } from './client-claims.ts';

const opened: Awareness[] = [];
afterEach(() => opened.splice(0).forEach((awareness) => awareness.destroy()));

function newAwareness(): Awareness {
  const awareness = new Awareness(new Doc());
  awareness.setLocalState(null);
  opened.push(awareness);
  return awareness;
}

function session(user: string, extra: Partial<Principal> = {}): AwarenessSession {
  const principal: Principal = {
    tenant: 'default',
    user,
    name: undefined,
    color: undefined,
    groups: [],
    scopes: [],
    grants: {},
    expiresAt: 0,
    tokenId: undefined,
    ...extra,
  };
  return { principal };
}

/** One instance: a gate, the document's awareness, and everything that was relayed. */
function instance(options: Partial<AwarenessGateOptions> = {}, time = { now: 1_000_000 }) {
  const awareness = newAwareness();
  const gate = new AwarenessGate({ awareness, clock: { now: () => time.now }, ...options });
  const relay = (update: Uint8Array | undefined) => {
    if (update) applyAwarenessUpdate(awareness, update, 'gate');
    return update ? readAwarenessFrame(update) : [];
  };
  return {
    awareness,
    gate,
    time,
    relay,
    send(from: AwarenessSession, ...entries: AwarenessEntry[]) {
      return relay(gate.accept(from, encodeAwareness(entries)).update);
    },
  };
}

const entry = (client: number, clock: number, state: AwarenessEntry['state'] = { at: clock }) => ({
  client,
  clock,
  state,
});

describe('P6.1 the server says who somebody is', () => {
  test('P6.1 whatever user the client claims is replaced', () => {
    const { send, awareness } = instance();
    const alice = session('alice', { name: 'Alice', color: '#0ea5e9' });
    send(alice, entry(7, 1, { user: { id: 'bob', name: 'Bob', admin: true }, cursor: 3 }));
    expect(awareness.getStates().get(7)).toEqual({
      user: { id: 'alice', name: 'Alice', color: '#0ea5e9' },
      cursor: 3,
    });
  });

  test('P6.1 without a name and colour in the token both are still there, and stable', () => {
    const [first, second] = [instance(), instance()];
    first.send(session('carol'), entry(7, 1));
    second.send(session('carol'), entry(7, 1));
    const user = first.awareness.getStates().get(7)!['user'] as { name: string; color: string };
    expect(user.name).toBe('carol');
    expect(user.color).toMatch(/^#[0-9a-f]{6}$/);
    expect(second.awareness.getStates().get(7)!['user']).toEqual(user);
  });

  test('P6.1 a renewed token renames at the next frame', () => {
    const { send, awareness } = instance();
    const alice = session('alice', { name: 'Alice' }) as { principal: Principal };
    send(alice, entry(7, 1));
    alice.principal = { ...alice.principal, name: 'Alice B.' };
    send(alice, entry(7, 2));
    expect(awareness.getStates().get(7)!['user']).toMatchObject({ name: 'Alice B.' });
  });
});

describe('P6.2 nobody speaks for another', () => {
  test('P6.2 entries about other sessions are dropped silently, its own are kept', () => {
    const { send, awareness, gate } = instance();
    const [alice, eve] = [session('alice'), session('eve')];
    send(alice, entry(1, 1));
    expect(send(eve, entry(1, 99, { forged: true }), entry(2, 1))).toMatchObject([{ client: 2 }]);
    expect(awareness.getStates().get(1)).toMatchObject({ at: 1, user: { id: 'alice' } });
    expect(gate.clientsOf(eve)).toEqual([2]);
  });

  test('P6.2 what versions 2 and 3 of the provider send back of the same person’s other tab takes nothing over', () => {
    const { send, awareness, gate, time } = instance();
    const [first, second] = [session('alice'), session('alice')];
    const [told] = send(first, entry(1, 1));
    time.now += 40;
    send(first, entry(1, 2));
    send(second, entry(2, 1));
    expect(send(second, told!)).toEqual([]);
    expect(send(second, ...readAwarenessFrame(gate.welcome(second)!))).toEqual([]);
    expect(awareness.getStates().get(1)).toMatchObject({ at: 2 });
    expect(gate.clientsOf(first)).toEqual([1]);
    expect(gate.clientsOf(second)).toEqual([2]);
  });

  test('P6.2 what they send back of another instance’s people takes nothing over', () => {
    const [here, there] = [instance(), instance()];
    const told = here.gate.accept(session('alice'), encodeAwareness([entry(1, 1)])).update!;
    there.relay(there.gate.observe(told).update);
    const second = session('alice');
    there.gate.welcome(second);
    expect(there.send(second, ...readAwarenessFrame(told))).toEqual([]);
    expect(there.gate.clientsOf(second)).toEqual([]);
  });

  test('P6.2 what somebody was told of themselves by their other tab, and sends back, changes nothing', () => {
    const { send, gate, awareness } = instance();
    const first = session('alice');
    const [told] = send(first, entry(1, 1));
    expect(send(first, told!)).toEqual([]);
    send(first, entry(1, 2));
    expect(send(first, told!)).toEqual([]);
    expect(awareness.getStates().get(1)).toMatchObject({ at: 2 });
    expect(send(first, entry(1, told!.clock + 2))).toHaveLength(1);
    expect(gate.clientsOf(first)).toEqual([1]);
  });

  test.each(['before it is told of anybody', 'after that, having said who it is'])(
    'P6.4 who counts on from a clock that it was told comes back here and on another instance, %s',
    (when) => {
      const [here, there] = [instance(), instance()];
      const [told] = here.relay(here.gate.accept(session('alice'), encodeAwareness([entry(1, 1)])).update);
      there.relay(there.gate.observe(encodeAwareness([told!])).update);
      for (const { gate, send } of [here, there]) {
        const again = session('alice');
        if (when.startsWith('after')) gate.welcome(again, [1]);
        expect(send(again, entry(1, told!.clock + 1))).toHaveLength(1);
        expect(gate.clientsOf(again)).toEqual([1]);
      }
    },
  );

  test('P6.2 a null for somebody else, as clients send when they time others out, removes nobody', () => {
    const { send, awareness } = instance();
    const [alice, bob] = [session('alice'), session('bob')];
    send(alice, entry(1, 1));
    expect(send(bob, entry(1, 50, null), entry(3, 4, null))).toEqual([]);
    expect(awareness.getStates().has(1)).toBe(true);
  });

  test('P6.2 a huge clock freezes nobody', () => {
    const { send, awareness } = instance({ mayClaim: () => true });
    const [eve, alice] = [session('eve'), session('alice')];
    send(eve, entry(1, Number.MAX_SAFE_INTEGER));
    send(alice, entry(1, 5), entry(2, Number.MAX_SAFE_INTEGER));
    send(alice, entry(2, 3, { at: 'later' }));
    expect(awareness.getStates().get(2)).toMatchObject({ at: 'later' });
    expect(awareness.meta.get(1)!.clock).toBeLessThan(2_000_000);
  });

  test('P6.2 an id that belonged to somebody who left stays theirs', () => {
    const { send, gate, relay, awareness } = instance();
    const [alice, eve] = [session('alice'), session('eve')];
    send(alice, entry(1, 1));
    relay(gate.removal(gate.removeSession(alice)));
    expect(send(eve, entry(1, 9))).toEqual([]);
    expect(awareness.getStates().has(1)).toBe(false);
    expect(send(session('alice'), entry(1, 1))).toHaveLength(1);
  });

  test('P6.2 an id that only another instance knows is not for others', () => {
    const [home, away] = [instance(), instance()];
    home.send(session('alice'), entry(1, 1));
    away.relay(away.gate.observe(encodeAwarenessUpdate(home.awareness, [1])).update);
    expect(away.send(session('eve'), entry(1, 8))).toEqual([]);
    expect(away.awareness.getStates().get(1)).toMatchObject({ user: { id: 'alice' } });
  });

  test('P6.2 unowned ids ask the binding of client ids', () => {
    const { send } = instance({ mayClaim: (client) => client !== 5 });
    expect(send(session('eve'), entry(5, 1), entry(6, 1))).toMatchObject([{ client: 6 }]);
  });

  test('P6.2 a session speaks for a few ids, not for a crowd', () => {
    const { send } = instance({ clientsPerSession: 2 });
    expect(send(session('eve'), entry(1, 1), entry(2, 1), entry(3, 1))).toHaveLength(2);
  });

  test('P6.2 a malformed frame takes nothing', () => {
    const { gate } = instance();
    const eve = session('eve');
    const body = Buffer.concat([
      Buffer.from([2, 1, 1, 2]),
      Buffer.from('{}'),
      Buffer.from([2, 1, 1]),
      Buffer.from('['),
    ]);
    expect(() => gate.accept(eve, body)).toThrow(expect.objectContaining({ code: 'awareness-malformed' }));
    expect(gate.clientsOf(eve)).toEqual([]);
  });
});

describe('P6.3 who leaves is gone, who comes back is seen', () => {
  test('P6.3 the ids of an ended session are removed', () => {
    const { send, gate, relay, awareness } = instance();
    const alice = session('alice');
    send(alice, entry(1, 1));
    expect(gate.removeSession(alice)).toEqual([1]);
    expect(awareness.getStates().has(1)).toBe(true);
    expect(relay(gate.removal([1]))).toMatchObject([{ client: 1, state: null }]);
    expect(gate.removal([1])).toBeUndefined();
  });

  test('P6.3 a reconnect within the grace is no leave', () => {
    const { send, gate, awareness } = instance();
    const before = session('alice');
    send(before, entry(1, 5));
    const left = gate.removeSession(before);
    send(session('alice'), entry(1, 5));
    expect(gate.removal(left)).toBeUndefined();
    expect(awareness.getStates().has(1)).toBe(true);
  });

  test("P6.3 a person's newer session takes the id over from one that is not known to be dead yet", () => {
    const { send, gate } = instance();
    const [before, after] = [session('alice'), session('alice')];
    send(before, entry(1, 5));
    send(after, entry(1, 5));
    expect(gate.removeSession(before)).toEqual([]);
    expect(gate.clientsOf(after)).toEqual([1]);
  });

  test('P6.3 a peer that remembers the old clock sees who came back with the same clock', () => {
    const time = { now: 1_000_000 };
    const peer = newAwareness();
    const before = instance({}, time);
    const frame = before.gate.accept(session('alice'), encodeAwareness([entry(1, 5)])).update!;
    applyAwarenessUpdate(peer, frame, 'provider');
    removeAwarenessStates(peer, [1], 'provider');

    time.now += 1500;
    const restarted = instance({}, time);
    const again = restarted.gate.accept(session('alice'), encodeAwareness([entry(1, 5)])).update!;
    applyAwarenessUpdate(peer, again, 'provider');
    expect(peer.getStates().get(1)).toMatchObject({ at: 5 });
  });

  test('P6.3 who reconnects is shown the others at once, their next move, and their leave', () => {
    const { send, gate, time, relay } = instance();
    const [alice, bob] = [session('alice'), session('bob')];
    const screen = newAwareness();
    const show = (update: Uint8Array | undefined) => applyAwarenessUpdate(screen, update!, 'provider');
    send(alice, entry(1, 5));
    show(gate.welcome());
    for (let round = 0; round < 2; round++) {
      removeAwarenessStates(screen, [1], 'provider');
      time.now += 1000;
      send(bob, entry(2, round + 1));
      show(gate.welcome(bob));
      expect([...screen.getStates().keys()]).toEqual([1]);
    }
    time.now += 10;
    show(gate.accept(alice, encodeAwareness([entry(1, 6)])).update);
    expect(screen.getStates().get(1)).toMatchObject({ at: 6 });
    const gone = gate.removal(gate.removeSession(alice));
    relay(gone);
    show(gone);
    expect(screen.getStates().size).toBe(0);
  });
});

describe('P6.4 presence across instances', () => {
  test('P6.4 what somebody did elsewhere just before a newcomer was welcomed is news to the newcomer', () => {
    const time = { now: 1_000_000 };
    const [here, there] = [instance({}, time), instance({}, time)];
    const alice = session('alice');
    there.send(alice, entry(1, 5));
    here.relay(here.gate.observe(encodeAwarenessUpdate(there.awareness, [1])).update);
    time.now += 200;
    // On its way, while here somebody comes.
    const gone = there.gate.removal(there.gate.removeSession(alice));
    time.now += 400;
    const screen = newAwareness();
    applyAwarenessUpdate(screen, here.gate.welcome(session('bob'))!, 'provider');
    expect([...screen.getStates().keys()]).toEqual([1]);
    applyAwarenessUpdate(screen, here.gate.observe(gone!).update!, 'provider');
    expect(screen.getStates().size).toBe(0);
  });

  test('P6.4 a person who moved to another instance is not removed by the one they left', () => {
    const time = { now: 1_000_000 };
    const [old, next] = [instance({}, time), instance({}, time)];
    const before = session('alice');
    old.send(before, entry(1, 5));
    next.relay(next.gate.observe(encodeAwarenessUpdate(old.awareness, [1])).update);
    time.now += 1000;
    next.send(session('alice'), entry(1, 5));
    old.relay(old.gate.observe(encodeAwarenessUpdate(next.awareness, [1])).update);
    expect(old.gate.removeSession(before)).toEqual([]);
    expect(old.awareness.getStates().has(1)).toBe(true);
  });

  test('P6.4 a person who came back on another instance is not removed when the grace here ends', () => {
    const time = { now: 1_000_000 };
    const [old, next] = [instance({}, time), instance({}, time)];
    const before = session('alice');
    old.send(before, entry(1, 5));
    old.send(before, entry(2, 5));
    const silent = old.gate.silentSince(old.gate.removeSession(before));
    time.now += 1000;
    next.send(session('alice'), entry(1, 5));
    old.relay(old.gate.observe(encodeAwarenessUpdate(next.awareness, [1])).update);
    time.now += 5000;
    expect(silent()).toEqual([2]);
    old.relay(old.gate.removal(silent()));
    expect([...old.awareness.getStates().keys()]).toEqual([1]);
  });

  test('P6.4 a removal that crossed with the move is answered by the instance where the person is', () => {
    const time = { now: 1_000_000 };
    const [old, next] = [instance({}, time), instance({}, time)];
    const before = session('alice');
    old.send(before, entry(1, 5));
    time.now += 1000;
    const after = session('alice');
    next.send(after, entry(1, 5));
    time.now += 1000;
    const removal = old.gate.removal(old.gate.removeSession(before))!;
    old.relay(removal);
    const { update, reassert } = next.gate.observe(removal);
    expect(update).toBeUndefined();
    next.relay(reassert);
    old.relay(old.gate.observe(reassert!).update);
    for (const { awareness } of [old, next]) {
      expect(awareness.getStates().get(1)).toMatchObject({ user: { id: 'alice' } });
    }
    // Their client is told so as well, and counts on from there.
    const [{ clock }] = readAwarenessFrame(reassert!) as [AwarenessEntry];
    expect(next.send(after, entry(1, clock + 1))).toHaveLength(1);
  });

  test('P6.4 of two instances that heard somebody in the same millisecond neither takes them away from the other', () => {
    const time = { now: 1_000_000 };
    const [one, other] = [instance({}, time), instance({}, time)];
    const [here, there] = [session('alice'), session('alice')];
    const first = one.gate.accept(here, encodeAwareness([entry(1, 5)])).update!;
    const second = other.gate.accept(there, encodeAwareness([entry(1, 5)])).update!;
    expect(one.gate.observe(second).update).toBeUndefined();
    expect(other.gate.observe(first).update).toBeUndefined();
    expect([one.gate.clientsOf(here), other.gate.clientsOf(there)]).toEqual([[1], [1]]);
  });

  test('P6.4 another instance cannot rename somebody who is connected here', () => {
    const here = instance();
    here.send(session('alice'), entry(1, 5));
    const forged = encodeAwareness([entry(1, 9_000_000, { user: { id: 'eve' } })]);
    expect(here.gate.observe(forged)).toEqual({ update: undefined, entries: [], reassert: undefined });
  });
});

describe('P7.7 presence is bounded', () => {
  test('P7.7 people who came and went are forgotten, those who are here are not', () => {
    const { send, gate, relay, awareness } = instance({ remembered: 10 });
    const stays = session('stays');
    send(stays, entry(1, 1));
    for (let client = 2; client < 500; client++) {
      const visitor = session(`visitor-${client}`);
      send(visitor, entry(client, 1));
      relay(gate.removal(gate.removeSession(visitor)));
    }
    expect(awareness.meta.size).toBeLessThan(40);
    expect(gate.clientsOf(stays)).toEqual([1]);
    expect(awareness.getStates().has(1)).toBe(true);
  });
});
