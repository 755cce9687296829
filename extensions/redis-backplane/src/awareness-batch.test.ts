import { applyAwarenessUpdate, Awareness, encodeAwarenessUpdate } from 'y-protocols/awareness';
import { Doc } from 'yjs';
import { describe, expect, test } from 'vitest';
import { AwarenessBatch } from './awareness-batch.ts';

describe('P12.4 presence between instances is joined', () => {
  test('P12.4 of many moves of a tick the last of each person is sent', () => {
    const people = [0, 1, 2].map(() => new Awareness(new Doc()));
    const batch = new AwarenessBatch();
    expect(batch.empty).toBe(true);
    for (let at = 0; at < 20; at++) {
      for (const person of people) {
        person.setLocalState({ at, name: 'żółw' });
        batch.add(encodeAwarenessUpdate(person, [person.clientID]));
      }
    }
    const update = batch.take();
    expect(update.length).toBeLessThan(3 * 50);
    expect(batch.empty).toBe(true);

    const peer = new Awareness(new Doc());
    applyAwarenessUpdate(peer, update, 'test');
    for (const person of people) {
      expect(peer.getStates().get(person.clientID)).toEqual({ at: 19, name: 'żółw' });
      person.destroy();
    }
    peer.destroy();
  });

  test('P12.4 what is no awareness update is refused', () => {
    expect(() => new AwarenessBatch().add(Uint8Array.from([3, 1, 1, 200]))).toThrow();
  });
});
