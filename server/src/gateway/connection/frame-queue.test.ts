import { expect, test } from 'vitest';
import { FrameQueue, type FrameTaker } from './frame-queue.ts';

function begin() {
  const handled: number[] = [];
  const work = new Map<number, PromiseWithResolvers<void>>();
  const state = { bytes: 0, caughtUp: 0, isOpen: true, failures: [] as unknown[] };
  const taker: FrameTaker = {
    get isOpen() {
      return state.isOpen;
    },
    handle: (type) => {
      handled.push(type);
      return work.get(type)?.promise;
    },
    failedAtOnce: (error) => void state.failures.push(error),
    failed: (error) => void state.failures.push(error),
    caughtUp: () => void (state.caughtUp += 1),
  };
  const queue = new FrameQueue(taker, {
    queued: (bytes) => void (state.bytes += bytes),
    unqueued: (bytes) => void (state.bytes -= bytes),
  });
  const push = (...types: number[]) => types.forEach((type) => queue.push(Uint8Array.of(type, 0)));
  const holdAt = (type: number) => work.set(type, Promise.withResolvers<void>()).get(type)!;
  return { queue, handled, state, push, holdAt };
}

const turnOver = () => new Promise((resolve) => setImmediate(resolve));

test('P9.16 frames are handled one after another: those behind one that waits for something wait too', async () => {
  const { queue, handled, state, push, holdAt } = begin();
  const held = holdAt(2);
  push(1, 2, 3);
  queue.drain();
  expect(handled).toEqual([1, 2]);
  expect([queue.held, state.bytes, state.caughtUp]).toEqual([true, 2, 0]);
  held.resolve();
  await turnOver();
  expect(handled).toEqual([1, 2, 3]);
  expect([queue.held, state.bytes, state.caughtUp]).toEqual([false, 0, 1]);
});

test('P9.16 a frame that fails is told of, and those behind it are handled', async () => {
  const { queue, handled, state, push, holdAt } = begin();
  const held = holdAt(1);
  push(1, 2);
  queue.drain();
  held.reject(new Error('no database'));
  await turnOver();
  expect(handled).toEqual([1, 2]);
  expect(state.failures).toEqual([new Error('no database')]);
});

test('P7.27 what waits when the session ends is given back, and not handled', () => {
  const { queue, handled, state, push } = begin();
  state.isOpen = false;
  push(1, 2);
  queue.drain();
  queue.clear();
  expect([handled, state.bytes]).toEqual([[], 0]);
});
