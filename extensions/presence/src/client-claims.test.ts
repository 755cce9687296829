import type { Principal } from '@weft/common';
import { expect, test } from 'vitest';
import { ClientClaims, type AwarenessSession } from './client-claims.ts';

const session = (user: string): AwarenessSession => ({ principal: { user } as Principal });

test('P7.8 of the ids of those who left the first that left is forgotten first', () => {
  const claims = new ClientClaims({ perSession: 4, remembered: 2 });
  const [alice, bob, carol] = [session('alice'), session('bob'), session('carol')];
  claims.take(1, alice);
  claims.take(2, bob);
  claims.leave(bob);
  claims.leave(alice);
  claims.take(3, carol);
  claims.leave(carol);
  expect([1, 2, 3].filter((client) => claims.has(client))).toEqual([1, 3]);
});
