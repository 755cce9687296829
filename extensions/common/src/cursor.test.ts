import { describe, expect, test } from 'vitest';
import { formatCursor, parseCursor } from './cursor.ts';

describe('P2.9 a cursor is written epoch:seq', () => {
  test('P2.9 and read back', () => {
    expect(parseCursor(formatCursor({ epoch: 1_795_000_000_000, seq: 17 }))).toEqual({
      epoch: 1_795_000_000_000,
      seq: 17,
    });
  });

  test.each(['', '1', '1:', ':1', '-1:2', '1:2:3', '1e3:1', '99999999999999999:1', ' 1:2'])(
    'P2.9 refuses %j',
    (text) => expect(parseCursor(text)).toBeUndefined(),
  );
});
