import { applyAwarenessUpdate, Awareness, encodeAwarenessUpdate } from 'y-protocols/awareness';
import { Doc } from 'yjs';
import { describe, expect, test } from 'vitest';
import { WeftError } from '@weft/common';
import { AWARENESS_LIMITS, encodeAwareness, readAwarenessFrame } from './awareness-frame.ts';

function raw(...parts: (number | string)[]): Uint8Array {
  return Buffer.concat(
    parts.map((part) =>
      typeof part === 'number'
        ? Buffer.from([part])
        : Buffer.concat([Buffer.from([Buffer.byteLength(part)]), Buffer.from(part)]),
    ),
  );
}

function codeOf(body: Uint8Array, limits = AWARENESS_LIMITS): string | undefined {
  try {
    readAwarenessFrame(body, limits);
    return undefined;
  } catch (error) {
    return error instanceof WeftError ? error.code : `not coded: ${String(error)}`;
  }
}

describe('P7.7 a presence frame is read strictly', () => {
  test('P7.7 what y-protocols writes is read, and what we write y-protocols reads', () => {
    const doc = new Doc();
    const awareness = new Awareness(doc);
    awareness.setLocalState({ cursor: { anchor: 1, text: 'żółć 🧵 \\ "' } });
    const entries = readAwarenessFrame(encodeAwarenessUpdate(awareness, [doc.clientID]));
    expect(entries).toEqual([{ client: doc.clientID, clock: 1, state: awareness.getLocalState() }]);

    const other = new Awareness(new Doc());
    applyAwarenessUpdate(other, encodeAwareness(entries), 'test');
    expect(other.getStates().get(doc.clientID)).toEqual(awareness.getLocalState());
    awareness.destroy();
    other.destroy();
  });

  test.each([
    ['empty', raw()],
    ['a count without entries', raw(1)],
    ['trailing bytes', raw(1, 5, 1, 'null', 0)],
    ['a state cut short', raw(1, 5, 1, 9, 0x7b)],
    ['a client twice', raw(2, 5, 1, 'null', 5, 2, 'null')],
    ['an array', raw(1, 5, 1, '[]')],
    ['a string', raw(1, 5, 1, '"x"')],
    ['no JSON', raw(1, 5, 1, '{"a":')],
    ['a prototype', raw(1, 5, 1, '{"__proto__":{"role":"owner"}}')],
    ['an escaped prototype', raw(1, 5, 1, '{"a":[{"\\u005f_proto__":1}]}')],
    ['invalid UTF-8', raw(1, 5, 1, 3, 0x22, 0xff, 0x22)],
    ['a clock over 2^53', raw(1, 5, 255, 255, 255, 255, 255, 255, 255, 255, 1, 'null')],
    ['an endless number', new Uint8Array(64).fill(255)],
    ['too deep', raw(1, 5, 1, `{"a":${'['.repeat(20)}${']'.repeat(20)}}`)],
  ])('P7.7 %s is malformed', (_, body) => {
    expect(codeOf(body)).toBe('awareness-malformed');
  });

  test('P7.7 what is over a bound is too large', () => {
    const large = encodeAwareness([{ client: 1, clock: 1, state: { text: 'x'.repeat(9000) } }]);
    expect(codeOf(large)).toBe('awareness-too-large');
    expect(codeOf(raw(200, 1))).toBe('awareness-malformed');
    expect(codeOf(raw(2, 1, 1, 'null', 2, 1, 'null'), { ...AWARENESS_LIMITS, clients: 1 })).toBe(
      'awareness-too-large',
    );
    expect(codeOf(new Uint8Array(AWARENESS_LIMITS.frameBytes + 1))).toBe('awareness-too-large');
  });

  test('P7.7 random bytes never throw anything uncoded', () => {
    let seed = 1;
    const random = () => (seed = (Math.imul(seed, 1103515245) + 12345) & 0x7fffffff) >>> 8;
    const honest = encodeAwareness([{ client: 77, clock: 3, state: { cursor: { anchor: 1, head: 2 } } }]);
    for (let i = 0; i < 20_000; i++) {
      const body = Uint8Array.from(honest);
      for (let j = 0; j <= random() % 3; j++) body[random() % body.length] = random() & 255;
      expect([undefined, 'awareness-malformed', 'awareness-too-large']).toContain(codeOf(body));
    }
  });
});
