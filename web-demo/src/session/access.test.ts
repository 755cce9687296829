import { expect, test } from 'vitest';
import { accessOf, accessOfScope } from './access.ts';

test('P3.15 what may be done in the editor follows from what the server says may be written', () => {
  const of = (writable: '*' | readonly string[], manage = false) =>
    accessOf({ role: 'own', writable, manage });
  expect(of('*', true)).toEqual({ role: 'own', writesText: true, writesComments: true, manages: true });
  expect(of(['comments'])).toMatchObject({ writesText: false, writesComments: true, manages: false });
  expect(of(['default'])).toMatchObject({ writesText: true, writesComments: false });
  expect(of([])).toMatchObject({ writesText: false, writesComments: false });
});

test('P3.15 where a server says no more than the protocol does, nobody is offered to share', () => {
  expect(accessOfScope('readonly')).toMatchObject({
    writesText: false,
    writesComments: false,
    manages: false,
  });
  expect(accessOfScope('read-write')).toMatchObject({
    writesText: true,
    writesComments: true,
    manages: false,
  });
});
