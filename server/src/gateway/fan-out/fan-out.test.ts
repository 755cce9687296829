import { encodeAwareness } from '@weft/presence';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { FanOut } from './fan-out.ts';
import { encodeAddress } from '../wire/frames.ts';
import type { Receiver } from './receiver.ts';

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

/** Counts what is written to it. */
class Counting implements Receiver {
  readonly address = encodeAddress('doc');
  readonly addressKey = 'doc';
  readonly seesPresence = true;
  writes = 0;
  lastAt = Number.NaN;
  onWrite: (() => void) | undefined;
  private queued = 0;

  enqueue(bytes: Buffer): void {
    this.queued += bytes.length;
  }

  flush(): void {
    if (this.queued === 0) return;
    this.queued = 0;
    this.writes += 1;
    this.lastAt = performance.now();
    this.onWrite?.();
    this.onWrite = undefined;
  }
}

function room(size: number) {
  const members = Array.from({ length: size }, () => new Counting());
  const receivers = new Set(members);
  const fanOut = new FanOut({ receivers, maxWindow: 5, windowPerReceiver: 0.25 });
  const writes = () => members.reduce((sum, { writes: own }) => sum + own, 0);
  return { fanOut, members, receivers, writes };
}

let clock = 0;

function move(client: number): Uint8Array {
  return encodeAwareness([{ client, clock: ++clock, state: { at: clock } }]);
}

describe('P7.25 presence costs a bounded number of writes', () => {
  test('P7.25 however many people move how often', () => {
    for (const [size, perSecond] of [
      [500, 1],
      [500, 5],
      [250, 4],
      [40, 20],
    ] as const) {
      const { fanOut, members, writes } = room(size);
      const step = 1000 / (size * perSecond);
      for (let at = 0, next = 0; at < 5_000; at += 1) {
        for (; next <= at; next += step) {
          const who = Math.floor(next / step) % size;
          fanOut.showPresence(move(who), members[who]);
        }
        vi.advanceTimersByTime(1);
      }
      vi.advanceTimersByTime(600);
      expect(writes() / 5.6).toBeLessThanOrEqual(1_050);
      expect(Math.min(...members.map((member) => member.writes))).toBeGreaterThan(5);
    }
  });

  test('P7.25 what a single one shows after a quiet time is seen at once, in a crowd soon', () => {
    for (const [size, within] of [
      [2, 1],
      [10, 50],
      [100, 100],
      [500, 100],
    ] as const) {
      const { fanOut, members } = room(size);
      vi.advanceTimersByTime(2_000);
      const [mover, other] = members;
      const movedAt = performance.now();
      fanOut.showPresence(move(1), mover);
      vi.advanceTimersByTime(1_000);
      expect((other?.lastAt ?? Number.NaN) - movedAt).toBeLessThanOrEqual(within);
      expect(mover?.writes).toBe(0);
    }
  });

  test('P7.25 presence rides along with edits, and never with somebody’s acknowledgement', () => {
    const { fanOut, members } = room(500);
    const [writer, other] = members as [Counting, Counting];
    fanOut.showPresence(move(1));
    vi.advanceTimersByTime(150);
    fanOut.showPresence(move(2));
    writer.enqueue(Buffer.from([1]));
    fanOut.flushSoon(writer);
    vi.advanceTimersByTime(5);
    expect([writer.writes, other.writes]).toEqual([2, 1]);
    fanOut.broadcastUpdate({ update: new Uint8Array([0, 0]), from: writer, at: Date.now() });
    vi.advanceTimersByTime(5);
    expect([writer.writes, other.writes]).toEqual([3, 2]);
    vi.advanceTimersByTime(1_000);
    expect([writer.writes, other.writes]).toEqual([3, 2]);
  });

  test('P7.25 in a crowd whatever else waits has its turn in between, and who left then is sent nothing', () => {
    const { fanOut, members, receivers, writes } = room(500);
    const [first, last] = [members[0], members.at(-1)] as [Counting, Counting];
    let writesThen = Number.NaN;
    first.onWrite = () =>
      setImmediate(() => {
        writesThen = writes();
        receivers.delete(last);
        fanOut.broadcastUpdate({ update: new Uint8Array([0, 0]), from: undefined, at: Date.now() });
      });
    fanOut.showPresence(move(1));
    vi.advanceTimersByTime(110);
    expect(writesThen).toBeLessThan(100);
    // The edit has overtaken the presence, for which the others still had to wait.
    expect([...new Set(members.map((member) => member.writes))].sort()).toEqual([0, 2]);
    expect(last.writes).toBe(0);
  });
});

test('P12.8 the cursor that follows an edit in the next turn of the event loop is written with it', () => {
  const { fanOut, members, writes } = room(10);
  const [writer] = members;
  vi.advanceTimersByTime(2_000);
  fanOut.broadcastUpdate({ update: new Uint8Array([0, 0]), from: writer, at: Date.now() });
  setImmediate(() => fanOut.showPresence(move(1), writer));
  vi.advanceTimersByTime(1);
  expect(writes()).toBe(9);
  vi.advanceTimersByTime(1_000);
  expect(writes()).toBe(9);
});

test('P12.8 the cursor that comes with its edit keeps nobody waiting for a further turn', () => {
  const { fanOut, members, writes } = room(10);
  const [writer, other] = members;
  const writesAfterTurn = (mover: Counting | undefined) => {
    vi.advanceTimersByTime(2_000);
    const before = writes();
    let after = Number.NaN;
    fanOut.broadcastUpdate({ update: new Uint8Array([0, 0]), from: writer, at: Date.now() });
    fanOut.showPresence(move(1), mover);
    setImmediate(() => (after = writes() - before));
    vi.advanceTimersByTime(1);
    return after;
  };
  expect(writesAfterTurn(writer)).toBe(9);
  // The author's own is still to come.
  expect(writesAfterTurn(other)).toBe(0);
  // As it is where they moved some time before.
  vi.advanceTimersByTime(2_000);
  fanOut.showPresence(move(1), writer);
  const before = writes();
  let after = Number.NaN;
  fanOut.broadcastUpdate({ update: new Uint8Array([0, 0]), from: writer, at: Date.now() });
  setImmediate(() => (after = writes() - before));
  vi.advanceTimersByTime(1);
  expect(after).toBe(0);
});
