import { describe, expect, test } from 'vitest';
import { NEUTRAL_COLOR, peopleOf } from './presence.ts';

const user = (id: string, name: string, color = '#4149c4') => ({ user: { id, name, color } });

describe('P6.6 the editor shows people, not connections', () => {
  test('P6.6 three tabs of one person are one person, and oneself comes first', () => {
    const states = new Map<number, unknown>([
      [1, user('grace', 'Grace')],
      [2, user('ada', 'Ada')],
      [3, user('grace', 'Grace')],
      [4, user('zoe', 'Zoe')],
      [5, user('zoe', 'Zoe')],
    ]);
    const people = peopleOf(states, 4, 'zoe');
    expect(people.map(({ id, tabs, self }) => [id, tabs, self])).toEqual([
      ['zoe', 2, true],
      ['ada', 1, false],
      ['grace', 2, false],
    ]);
  });

  test('P6.6 who has a caret in one of several tabs has one', () => {
    const states = new Map<number, unknown>([
      [1, { ...user('grace', 'Grace'), cursor: { anchor: {}, head: {} } }],
      [2, { ...user('grace', 'Grace'), cursor: null }],
      [3, user('mira', 'Mira')],
      [4, { ...user('zoe', 'Zoe'), cursor: null }],
    ]);
    expect(peopleOf(states, 9, 'me').map(({ id, caret }) => [id, caret])).toEqual([
      ['grace', true],
      ['mira', false],
      ['zoe', false],
    ]);
  });

  test('P6.6 two people of the same name are two people', () => {
    const states = new Map<number, unknown>([
      [1, user('ada-1', 'Ada')],
      [2, user('ada-2', 'Ada')],
    ]);
    expect(peopleOf(states, 9, 'me')).toHaveLength(2);
  });

  test('P6.6 states that are none are left out, colours that are none replaced', () => {
    const states = new Map<number, unknown>([
      [1, null],
      [2, {}],
      [3, { user: { name: 7 } }],
      [4, user('ada', 'Ada', 'url(javascript:0)')],
    ]);
    expect(peopleOf(states, 9, 'me')).toMatchObject([{ id: 'ada', color: NEUTRAL_COLOR }]);
  });
});
