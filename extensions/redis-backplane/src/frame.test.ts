import { documentKey, type CommittedUpdate } from '@weft/common';
import { describe, expect, test } from 'vitest';
import { KnownAuthors, ToldAuthors } from './authorship.ts';
import { decodeFrame, encodeFrame, encodeLetter, isFrom, openLetter, senderOf, type Frame } from './frame.ts';

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
  { kind: 'hello', wantsReply: true, number: 3, cursor: { epoch: 5, seq: 9 } },
  { kind: 'hello', wantsReply: false, number: 70_000, cursor: undefined },
  { kind: 'bye' },
];

describe('P5.1 instances speak a strict, small language', () => {
  test.each(frames)('P5.1 a frame ($kind) is read back', (frame) => {
    const bytes = encodeFrame(sender, frame);
    const read = decodeFrame(key, bytes);
    expect(read && JSON.parse(JSON.stringify(read))).toEqual(JSON.parse(JSON.stringify(frame)));
    expect(isFrom(sender, bytes)).toBe(true);
    expect(isFrom(Buffer.alloc(8), bytes)).toBe(false);
    expect(senderOf(bytes)).toBe(sender.toString('base64url'));
  });

  test.each(frames)(
    'P5.1 a frame ($kind) of another version is no frame: its rows are in the log',
    (frame) => {
      for (const version of [0, 1, 3]) {
        const bytes = encodeFrame(sender, frame);
        bytes[1] = version;
        expect(decodeFrame(key, bytes)).toBeUndefined();
      }
    },
  );

  test('P5.1 a row costs a few bytes more than its update', () => {
    const update = new Uint8Array(30);
    const bytes = encodeFrame(sender, { kind: 'updates', rows: [{ ...row(70_000), update }] });
    expect(bytes.length).toBeLessThan(update.length + 60);
  });

  test('P5.1 a letter names the document by a number, and whose a row is only once', () => {
    const told = new ToldAuthors();
    const known = new KnownAuthors();
    const open = (bytes: Uint8Array) => {
      const letter = openLetter(bytes)!;
      expect(letter.number).toBe(5);
      return decodeFrame(key, letter.frame, known);
    };
    const write = (row: CommittedUpdate) =>
      encodeLetter(5, { sender, frame: { kind: 'updates', rows: [row] }, told });

    const rows = [row(1), { ...row(2), actor: 'bob' }, row(3), { ...row(4), policyRev: 4 }, row(5)];
    const later = rows.map((row, i) => ({
      ...row,
      at: new Date(row.at.getTime() + (i % 2 ? -i : 9000 * i)),
    }));
    const letters = later.map(write);
    expect(letters.map(open)).toEqual(later.map((row) => ({ kind: 'updates', rows: [row] })));
    const defined = letters.map((bytes) => bytes.includes('one'));
    expect(defined).toEqual([true, true, false, true, false]);
    const update = new Uint8Array(30);
    expect(write({ ...row(70_000), update }).length).toBeLessThan(update.length + 24);
  });

  test('P5.1 whoever missed whose a row is knows that, and takes nobody else for its author', () => {
    const told = new ToldAuthors();
    const known = new KnownAuthors();
    const write = (rows: CommittedUpdate[], awareness?: Uint8Array) =>
      openLetter(encodeLetter(5, { sender, frame: { kind: 'updates', rows, awareness }, told }))!.frame;
    write([row(1)]);
    expect(decodeFrame(key, write([row(2)]), known)).toEqual({ kind: 'unread', seq: 2 });
    const bob = { ...row(3), actor: 'bob' };
    expect(decodeFrame(key, write([bob]), known)).toMatchObject({ rows: [{ actor: 'bob' }] });
    const awareness = Uint8Array.from([0]);
    expect(decodeFrame(key, write([bob, row(4)], awareness), known)).toEqual({
      kind: 'unread',
      seq: 4,
      awareness,
    });
    // More than are remembered: those that are forgotten are defined again.
    const many = Array.from({ length: 300 }, (_, i) => ({ ...row(5 + i), session: `s${i % 100}` }));
    for (const one of many) expect(decodeFrame(key, write([one]), known)).toMatchObject({ rows: [one] });
    // The one that the sender remembers longest is still known, and not defined again.
    const oldest = { ...row(305), session: many.at(-64)!.session };
    const letter = write([oldest]);
    expect(Buffer.from(letter).includes(oldest.session)).toBe(false);
    expect(decodeFrame(key, letter, known)).toMatchObject({ rows: [oldest] });
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
    for (const letter of [Buffer.from([1, 2, 3]), Buffer.alloc(20, 255), new Uint8Array(0)])
      expect(openLetter(letter)).toBeUndefined();
    expect(decodeFrame(key, Buffer.from([1, 2, 3]))).toBeUndefined();
    expect(decodeFrame(key, new Uint8Array(0))).toBeUndefined();
  });
});
