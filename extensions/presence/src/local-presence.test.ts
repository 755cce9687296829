import { documentKey } from '@weft/common';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { LocalPresence } from './local-presence.ts';
import type { PresenceAnnouncement } from './registry.ts';

const GRACE = 5_000;

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function localPresence() {
  const removed: string[] = [];
  const local = new LocalPresence({
    instance: 'one',
    grace: GRACE,
    changed: () => undefined,
    removed: ({ connection }) => removed.push(connection),
  });
  return { local, removed };
}

function announcement(changes: Partial<PresenceAnnouncement> = {}): PresenceAnnouncement {
  const person = { id: 'ada', name: 'Ada', color: '#0ea5e9' };
  const document = documentKey('acme', 'notes');
  return {
    document,
    connection: 'first',
    person,
    device: undefined,
    clientIds: [1, 2],
    since: 0,
    ...changes,
  };
}

const back = (changes: Partial<PresenceAnnouncement> = {}) =>
  announcement({ connection: 'second', clientIds: [2, 3], since: 1, ...changes });

test('P6.7 a broken connection ends as soon as its client is back over another one', () => {
  const { local, removed } = localPresence();
  local.announce(announcement());
  local.lose('first');
  local.announce(back());
  expect(removed).toEqual(['first']);
  expect(local.inDocument(announcement().document).map(({ connection }) => connection)).toEqual(['second']);
});

test.each([
  ['another client', { clientIds: [3] }],
  ['the client in another document', { document: documentKey('acme', 'plans') }],
  ['the client of another person', { person: { ...announcement().person, id: 'bob' } }],
])('P6.7 a broken connection keeps its grace when %s comes', (_, changes) => {
  const { local, removed } = localPresence();
  local.announce(announcement());
  local.lose('first');
  local.announce(back(changes));
  vi.advanceTimersByTime(GRACE - 1);
  expect(removed).toEqual([]);
  vi.advanceTimersByTime(1);
  expect(removed).toEqual(['first']);
});

test('P6.7 a connection that is not broken stays when its client comes over another one too', () => {
  const { local, removed } = localPresence();
  local.announce(announcement());
  local.announce(back());
  vi.advanceTimersByTime(GRACE);
  expect(removed).toEqual([]);
});

test('P6.7 a connection that is said to be broken twice, and comes back, stays', () => {
  const { local, removed } = localPresence();
  local.announce(announcement());
  local.lose('first');
  local.lose('first');
  local.announce(announcement());
  vi.advanceTimersByTime(2 * GRACE);
  expect(removed).toEqual([]);
});
