import { isIdentifier, type Principal, type Subject } from '@weft/common';

export function isSubject(value: string): value is Subject {
  if (value === 'tenant:*' || value === 'link:*') return true;
  const name = /^(?:user|group):(.*)$/s.exec(value)?.[1];
  return name !== undefined && isIdentifier(name);
}

/** Those who see a document in their list: the person, their groups, everybody of the tenant. */
export function listedSubjects({ user, groups }: Principal): Subject[] {
  return [`user:${user}`, ...groups.map((group) => `group:${group}` as const), 'tenant:*'];
}

/** Those who may open it. `link:*` is whoever of the tenant knows the name, so it opens and does not list. */
export function openingSubjects(principal: Principal): Subject[] {
  return [...listedSubjects(principal), 'link:*'];
}
