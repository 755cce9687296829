import { beforeEach, describe, expect, test } from 'vitest';
import { Acknowledgements } from './acknowledgements.ts';

let sent: boolean[];
let acknowledgements: Acknowledgements;

beforeEach(() => {
  sent = [];
  acknowledgements = new Acknowledgements({ answer: (saved) => sent.push(saved) });
});

/** What is sent when everything up to `ticket` is committed. */
function settle(ticket: number): boolean[] {
  acknowledgements.settle(ticket);
  return sent.splice(0);
}

describe('P1.1 acknowledgements', () => {
  test('come in order, each when its ticket is committed', () => {
    acknowledgements.owe(1, true);
    acknowledgements.owe(1, false);
    acknowledgements.owe(3, true);
    expect(settle(0)).toEqual([]);
    expect(settle(2)).toEqual([true, false]);
    expect(settle(3)).toEqual([true]);
    expect(acknowledgements.waiting).toBe(false);
  });

  test('of an undecided update keep those behind it', () => {
    const later = acknowledgements.oweLater();
    acknowledgements.owe(1, true);
    expect(settle(1)).toEqual([]);
    later.decide(1, false);
    expect(settle(1)).toEqual([false, true]);
  });

  test('wait for the client to say what it has, and then for that to be committed', () => {
    acknowledgements.owe(1, true);
    acknowledgements.holdUntilSynced();
    acknowledgements.owe(1, true);
    expect(settle(1)).toEqual([true]);
    acknowledgements.owe(2, true);
    acknowledgements.synced();
    expect(settle(1)).toEqual([]);
    expect(settle(2)).toEqual([true, true]);
  });

  test('of updates that miss something share the fate of the sync that brings it', () => {
    acknowledgements.holdUntilSynced();
    acknowledgements.oweWithSync();
    acknowledgements.oweWithSync();
    const sync = acknowledgements.oweLater();
    acknowledgements.synced();
    expect(acknowledgements.syncing).toBe(false);
    expect(settle(5)).toEqual([]);
    sync.decide(5, false);
    expect(settle(5)).toEqual([false, false, false]);
  });

  test('wait for the second sync where the first one had to be asked for again', () => {
    acknowledgements.holdUntilSynced();
    acknowledgements.oweWithSync();
    acknowledgements.owe(1, false);
    acknowledgements.holdUntilSynced();
    acknowledgements.synced();
    expect(settle(1)).toEqual([]);
    acknowledgements.owe(2, true);
    acknowledgements.synced();
    expect(settle(2)).toEqual([true, false, true]);
  });

  test('turn into refusals together with the update they were owed for', () => {
    acknowledgements.holdUntilSynced();
    acknowledgements.oweWithSync();
    acknowledgements.owe(4, true);
    acknowledgements.synced();
    expect(acknowledgements.refuse(4)).toBe(2);
    expect(settle(4)).toEqual([false, false]);
  });

  test('are bounded: a client that never says what it has is ended', () => {
    acknowledgements.holdUntilSynced();
    const flood = () => {
      for (let update = 0; update < 200_000; update++) acknowledgements.owe(1, true);
    };
    expect(flood).toThrow(expect.objectContaining({ code: 'server-overloaded' }));
  });
});
