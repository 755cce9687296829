import { documentKey } from '@weft/common';
import { expect, test } from 'vitest';
import type { PresenceEntry } from './registry.ts';
import { UntoldChanges } from './untold-changes.ts';

const alice: PresenceEntry = {
  document: documentKey('acme', 'notes'),
  connection: 'c1',
  person: { id: 'alice', name: 'Alice', color: '#0ea5e9' },
  device: undefined,
  clientIds: [],
  since: 0,
  instance: 'one',
};

test('P6.9 what changes while the others are being told is told next', () => {
  const untold = new UntoldChanges();
  untold.add({ entry: alice, present: true });
  const [telling] = untold.first(1);
  untold.add({ entry: alice, present: false });
  untold.told(telling!);
  expect(untold.first(1)).toEqual([{ entry: alice, present: false }]);
  untold.told(untold.first(1)[0]!);
  expect(untold.empty).toBe(true);
});
