import { encodeAwarenessUpdate, Awareness } from 'y-protocols/awareness';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Doc } from 'yjs';
import { AwarenessTick } from './awareness-tick.ts';

const TICK = 25;

let awareness: Awareness;
let sent: Uint8Array[];
let tick: AwarenessTick;

beforeEach(() => {
  vi.useFakeTimers();
  awareness = new Awareness(new Doc());
  sent = [];
  tick = new AwarenessTick();
});
afterEach(() => {
  tick.end();
  awareness.destroy();
  vi.useRealTimers();
});

function move(at: number, people = 1): void {
  awareness.setLocalState({ at });
  const update = encodeAwarenessUpdate(awareness, [awareness.clientID]);
  tick.add(update, { tick: TICK, people, send: (batch) => sent.push(batch) });
}

function texts(): string[] {
  return sent.map((bytes) => Buffer.from(bytes).toString());
}

test('P12.4 the newest of a tick is sent at its end', () => {
  for (let at = 1; at <= 3; at++) move(at);
  vi.advanceTimersByTime(TICK - 1);
  expect(sent).toEqual([]);
  vi.advanceTimersByTime(1);
  expect(texts()).toEqual([expect.stringContaining('{"at":3}')]);
});

test('P12.4 what has gone along with a row is not sent again at the end of its tick', () => {
  move(1);
  expect(Buffer.from(tick.along()!).toString()).toContain('{"at":1}');
  expect(tick.along()).toBeUndefined();
  vi.advanceTimersByTime(10 * TICK);
  expect(sent).toEqual([]);
});

test('P12.4 in a crowd nothing goes along sooner than its tick allows, and after a quiet time nobody waits for it', () => {
  move(1, 400);
  vi.advanceTimersByTime(TICK);
  expect(sent).toHaveLength(1);
  move(2, 400);
  expect(tick.along()).toBeUndefined();
  vi.advanceTimersByTime(199);
  expect(sent).toHaveLength(1);
  vi.advanceTimersByTime(1);
  expect(sent).toHaveLength(2);
});
