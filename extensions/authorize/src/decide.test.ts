import type { RootAccess, UpdateAnalysis } from '@weft/common';
import { describe, expect, test } from 'vitest';
import { decideUpdate } from './decide.ts';
import { COMMENTER, EDITOR, mergeRoles, OWNER, type Role, RoleTable, strongestOf, VIEWER } from './role.ts';

function analysis(
  roots: Record<string, Partial<RootAccess>>,
  more: Partial<UpdateAnalysis> = {},
): UpdateAnalysis {
  const entries = Object.entries(roots).map(
    ([name, access]) =>
      [name, { inserts: true, deletes: false, keys: new Set<string>(), ...access }] as const,
  );
  return {
    noop: false,
    authors: [{ client: 1, clock: 0, length: 1 }],
    roots: new Map(entries),
    newRoots: [],
    walk: 0,
    deletes: entries.some(([, access]) => access.deletes),
    missing: [],
    collapsed: [],
    update: new Uint8Array(),
    ...more,
  };
}

describe('P3.11 an update is decided by the root types that it touches', () => {
  test.each([EDITOR, OWNER])('P3.11 $name writes everything', (role) => {
    expect(decideUpdate(role, analysis({ default: {}, anything: { deletes: true } }))).toEqual({
      allow: true,
    });
  });

  test('P3.11 a viewer writes nothing', () => {
    for (const update of [analysis({ comments: {} }), analysis({}), analysis({}, { deletes: true })]) {
      expect(decideUpdate(VIEWER, update)).toEqual({ allow: false, code: 'write-forbidden' });
    }
  });

  test('P3.11 a commenter writes comments and nothing beside', () => {
    expect(decideUpdate(COMMENTER, analysis({ comments: {} }))).toEqual({ allow: true });
    expect(decideUpdate(COMMENTER, analysis({ comments: { deletes: true } }))).toEqual({ allow: true });
    for (const other of ['default', 'comments ', 'Comments', '', '__proto__']) {
      expect(decideUpdate(COMMENTER, analysis({ comments: {}, [other]: {} }))).toEqual({
        allow: false,
        code: 'root-forbidden',
        root: other,
      });
    }
  });

  test('P3.11 a commenter deletes nothing elsewhere', () => {
    expect(decideUpdate(COMMENTER, analysis({ default: { inserts: false, deletes: true } }))).toEqual({
      allow: false,
      code: 'root-forbidden',
      root: 'default',
    });
  });

  test('P3.11 a deletion without a root is only for who writes everything', () => {
    const unattributed = analysis({ comments: {} }, { deletes: true });
    expect(decideUpdate(COMMENTER, unattributed)).toEqual({ allow: false, code: 'write-forbidden' });
    expect(decideUpdate(EDITOR, unattributed)).toEqual({ allow: true });
  });

  test('P3.11 what is known already is allowed to everybody: it changes nothing', () => {
    expect(decideUpdate(VIEWER, analysis({}, { noop: true }))).toEqual({ allow: true });
  });
});

describe('P3.12 roles are data, and several add up', () => {
  const drafter: Role = { name: 'drafter', read: true, presence: false, write: ['draft'], manage: false };

  test('P3.12 a stronger role is the result itself', () => {
    expect(mergeRoles(VIEWER, EDITOR)).toBe(EDITOR);
    expect(mergeRoles(OWNER, COMMENTER)).toBe(OWNER);
    expect(mergeRoles(COMMENTER, VIEWER)).toBe(COMMENTER);
    expect(strongestOf([VIEWER, OWNER, EDITOR])).toBe(OWNER);
    expect(strongestOf([])).toBeUndefined();
  });

  test('P3.12 neither being stronger, it is the union', () => {
    expect(mergeRoles(drafter, COMMENTER)).toEqual({
      name: 'drafter+commenter',
      read: true,
      presence: true,
      write: ['draft', 'comments'],
      manage: false,
    });
    const steward: Role = { name: 'steward', read: true, presence: true, write: [], manage: true };
    expect(mergeRoles(steward, EDITOR)).toMatchObject({ write: '*', manage: true });
  });

  test('P3.12 integrators add roles and cannot redefine the built-in ones', () => {
    expect(new RoleTable([drafter]).get('drafter')).toBe(drafter);
    expect(() => new RoleTable([{ ...drafter, name: 'viewer' }])).toThrow(TypeError);
    expect(() => new RoleTable([drafter, drafter])).toThrow(TypeError);
    expect(() => new RoleTable([{ ...drafter, name: '' }])).toThrow(TypeError);
    expect(() => new RoleTable([{ ...drafter, write: ['a\0'] }])).toThrow(TypeError);
    expect(new RoleTable().get('constructor')).toBeUndefined();
  });
});
