import { documentKey, type CommittedUpdate } from '@weft/common';
import { describe, expect, test } from 'vitest';
import { decodeFrame, encodeFrame, isFrom, senderOf, type Frame } from './frame.ts';

const key = documentKey('default', 'notes/today');
const sender = Buffer.from('0123456789abcdef', 'hex');

const row = (seq: number): CommittedUpdate => ({
  document: key,
  epoch: 1_795_000_000_000,
  seq,
  actor: 'alice',
  session: 'Żółw',
  instance: 'one',
  kind: seq % 2 ? 'edit' : 'carried',
  policyRev: 3,
  at: new Date(1_795_000_000_123),
  update: Uint8Array.from([1, 2, 3, seq]),
});

const frames: Frame[] = [
  { kind: 'updates', rows: [row(7), row(8)] },
  { kind: 'updates', rows: [row(7)], awareness: Uint8Array.from([0]) },
  { kind: 'awareness', update: Uint8Array.from([0]) },
  { kind: 'stateless', payload: '{"weft":"✓"}' },
  { kind: 'hello', wantsReply: true, cursor: { epoch: 5, seq: 9 } },
  { kind: 'hello', wantsReply: false, cursor: undefined },
  { kind: 'bye' },
];

describe('P5.1 instances speak a strict, small language', () => {
  test.each(frames)('P5.1 a frame ($kind) is read back', (frame) => {
    const bytes = encodeFrame(sender, frame);
    const read = decodeFrame(key, bytes);
    expect(read && JSON.parse(JSON.stringify(read))).toEqual(JSON.parse(JSON.stringify(frame)));
    expect(isFrom(sender, bytes)).toBe(true);
    expect(isFrom(Buffer.alloc(8), bytes)).toBe(false);
    expect(senderOf(bytes)).toBe('0123456789abcdef');
  });

  test('P5.1 a row costs a few bytes more than its update', () => {
    const update = new Uint8Array(30);
    const bytes = encodeFrame(sender, { kind: 'updates', rows: [{ ...row(70_000), update }] });
    expect(bytes.length).toBeLessThan(update.length + 60);
  });

  test('P5.1 whatever else is on the channel is no frame, and never throws', () => {
    let seed = 7;
    const random = () => (seed = (Math.imul(seed, 1103515245) + 12345) & 0x7fffffff) >>> 8;
    for (const frame of frames) {
      const bytes = encodeFrame(sender, frame);
      for (let end = 0; end < bytes.length; end++) decodeFrame(key, bytes.subarray(0, end));
      if ((frame.kind === 'updates' && !frame.awareness) || frame.kind === 'bye') {
        expect(decodeFrame(key, Buffer.concat([bytes, Buffer.from([1])]))).toBeUndefined();
      }
      for (let i = 0; i < 2000; i++) {
        const broken = Buffer.from(bytes);
        for (let j = 0; j <= random() % 4; j++) broken[random() % broken.length] = random() & 255;
        decodeFrame(key, broken);
      }
    }
    expect(decodeFrame(key, Buffer.from([1, 2, 3]))).toBeUndefined();
    expect(decodeFrame(key, new Uint8Array(0))).toBeUndefined();
  });
});
