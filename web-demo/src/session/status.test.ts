import { describe, expect, test } from 'vitest';
import { accessOf, type Access } from './access.ts';
import { statusOf, type ConnectionFacts, type StatusKind } from './status.ts';

const editor = accessOf({ role: 'editor', writable: '*', manage: false });
const commenter = accessOf({ role: 'commenter', writable: ['comments'], manage: false });
const viewer = accessOf({ role: 'viewer', writable: [], manage: false });

const SAVED: ConnectionFacts = {
  socket: 'connected',
  lost: false,
  authenticated: true,
  synced: true,
  unsyncedChanges: 0,
  keptLocally: true,
  overdue: false,
  access: editor,
  end: undefined,
};
const EVERY_COMBINATION = (['connecting', 'connected', 'disconnected'] as const).flatMap((socket) =>
  [true, false].flatMap((lost) =>
    [true, false].flatMap((authenticated) =>
      [true, false].flatMap((synced) =>
        [0, 1, 7].map((unsyncedChanges) => ({ socket, lost, authenticated, synced, unsyncedChanges })),
      ),
    ),
  ),
);
const kindOf = (change: Partial<ConnectionFacts>): StatusKind => statusOf({ ...SAVED, ...change }).kind;

describe('P1.18 the editor says Saved only when the server has said so', () => {
  test('P1.18 connected, authenticated, in sync and nothing unacknowledged is Saved', () => {
    expect(statusOf(SAVED).label).toBe('Saved');
  });

  test('P1.18 in every other combination it says something else', () => {
    for (const facts of EVERY_COMBINATION) {
      const { socket, authenticated, synced, unsyncedChanges } = facts;
      const saved = socket === 'connected' && authenticated && synced && unsyncedChanges === 0;
      expect(kindOf(facts) === 'saved').toBe(saved);
    }
  });

  test.each<[string, Partial<ConnectionFacts>, StatusKind]>([
    ['unacknowledged changes', { unsyncedChanges: 3 }, 'saving'],
    ['a commenter with unacknowledged changes', { access: commenter, unsyncedChanges: 1 }, 'saving'],
    ['a commenter', { access: commenter }, 'saved'],
    ['a first connection', { socket: 'connecting', authenticated: false, synced: false }, 'connecting'],
    ['a token not yet accepted', { authenticated: false, synced: false }, 'connecting'],
    ['a lost connection', { socket: 'disconnected', lost: true, synced: false }, 'offline'],
    ['a lost connection being retried', { socket: 'connecting', lost: true, synced: false }, 'offline'],
    ['a connection that is back but not in sync', { lost: true, synced: false }, 'connecting'],
  ])('P1.18 %s', (_case, change, kind) => {
    expect(kindOf(change)).toBe(kind);
  });

  test('P1.24 after a while in vain it says that, and what becomes of the changes', () => {
    const overdue = { ...SAVED, overdue: true, unsyncedChanges: 2 };
    expect(statusOf(overdue).kind).toBe('not-saved');
    expect(statusOf(overdue).label).toContain('on this device');
    expect(statusOf({ ...overdue, keptLocally: false }).label).toContain('in this tab only');
    expect(statusOf({ ...overdue, synced: false }).label).toContain('can’t open the document');
    expect(statusOf({ ...overdue, unsyncedChanges: 0 }).kind).toBe('saved');
  });

  test('P1.18 offline it promises only what is true of this browser', () => {
    const offline = { ...SAVED, socket: 'disconnected', lost: true, synced: false } as const;
    expect(statusOf(offline).label).toBe('Offline — changes are kept on this device');
    expect(statusOf({ ...offline, keptLocally: false }).label).toContain('in this tab only');
    expect(statusOf({ ...offline, access: viewer }).label).not.toContain('changes are kept');
  });
});

describe('P3.15 the editor offers what the role allows and nothing else', () => {
  test('P3.15 a viewer is told that the document is read only', () => {
    expect(kindOf({ access: viewer })).toBe('read-only');
  });

  test.each<[Access, boolean, boolean]>([
    [editor, true, true],
    [commenter, false, true],
    [viewer, false, false],
    [accessOf({ role: 'tester', writable: ['default'], manage: false }), true, false],
  ])('P3.15 $role', (access, text, comments) => {
    expect(access.writesText).toBe(text);
    expect(access.writesComments).toBe(comments);
  });

  test('P3.15 removed access and a session that ended for good are said, whatever else is true', () => {
    const end = { code: 'access-removed', message: '', retryable: false };
    expect(kindOf({ end })).toBe('access-removed');
    expect(kindOf({ end: { ...end, code: 'document-deleted' } })).toBe('closed');
    expect(kindOf({ end: { ...end, code: 'load-busy', retryable: true } })).toBe('connecting');
  });
});
