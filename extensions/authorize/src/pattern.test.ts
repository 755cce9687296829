import { documentKey, isDocumentName, isPattern, matchesPattern } from '@weft/common';
import { describe, expect, test } from 'vitest';
import { affects, parseChange, patternsReaching } from './pattern.ts';
import { isSubject, listedSubjects, openingSubjects } from './subject.ts';
import { person } from './testing/fixtures.ts';

describe('P3.24 patterns', () => {
  test('P3.24 no document is called like a pattern, so nobody owns one by creating a document', () => {
    expect(isDocumentName('*')).toBe(false);
    expect(isDocumentName('notes/*')).toBe(false);
    expect(isDocumentName('a*b')).toBe(true);
  });

  test('P3.24 no document has a name that clients take out of an address, so each can be managed', () => {
    for (const bad of ['.', '..']) expect(isDocumentName(bad)).toBe(false);
    for (const good of ['...', '.a', 'a/..', 'a.']) expect(isDocumentName(good)).toBe(true);
    for (const good of ['.*', '..*']) expect(isPattern(good)).toBe(true);
  });

  test('P3.24 a name, or the beginning of names', () => {
    for (const good of ['plan', 'notes/*', '*', 'my *', 'a*b', 'a*b*']) expect(isPattern(good)).toBe(true);
    for (const bad of ['', ' *', '\0*', 'plan ', `${'x'.repeat(255)}*`]) expect(isPattern(bad)).toBe(false);
  });

  test.each(['plan', 'a*b', '😀 ü', 'x'.repeat(255)])(
    'P3.24 the patterns that reach %j are exactly those that match it',
    (name) => {
      const reaching = patternsReaching(name);
      expect(reaching.every((pattern) => matchesPattern(pattern, name))).toBe(true);
      expect(new Set(reaching).size).toBe(reaching.length);
      for (const pattern of ['*', name, `${name}*`, `${[...name][0]}*`]) expect(reaching).toContain(pattern);
    },
  );

  test('P3.24 a change reaches the documents of its tenant alone', () => {
    expect(affects({ tenant: 'acme', pattern: 'no*' }, documentKey('acme', 'notes'))).toBe(true);
    expect(affects({ tenant: 'acme', pattern: 'no*' }, documentKey('acme2', 'notes'))).toBe(false);
    expect(affects({ tenant: 'acme', pattern: 'note' }, documentKey('acme', 'notes'))).toBe(false);
    expect(parseChange('acme/a/b*')).toEqual({ tenant: 'acme', pattern: 'a/b*' });
    for (const bad of ['', 'acme', '/x', 'acme/']) expect(parseChange(bad)).toBeUndefined();
  });
});

describe('P3.25 subjects', () => {
  test('P3.25 are people, groups, the tenant, and whoever has the link', () => {
    for (const good of ['user:alice', 'user:a:b', 'group:staff', 'tenant:*', 'link:*']) {
      expect(isSubject(good)).toBe(true);
    }
    for (const bad of [
      '',
      'alice',
      'user:',
      'user:a\n',
      'user:a\0',
      'tenant:acme',
      'link:x',
      'role:x',
      'User:a',
    ]) {
      expect(isSubject(bad)).toBe(false);
    }
  });

  test('P3.25 a person called like a group is not the group', () => {
    expect(listedSubjects(person('group:staff'))).toEqual(['user:group:staff', 'tenant:*']);
  });

  test('P3.25 a link opens a document and does not list it', () => {
    expect(openingSubjects(person('alice'))).toContain('link:*');
    expect(listedSubjects(person('alice'))).not.toContain('link:*');
  });
});
