import { nameOfUser } from '../identity/people.ts';

export type SubjectKind = 'user' | 'group' | 'tenant' | 'link';

export const EVERYBODY = 'tenant:*';
export const LINK = 'link:*';

export function kindOf(subject: string): SubjectKind | undefined {
  const kind = subject.slice(0, subject.indexOf(':'));
  return kind === 'user' || kind === 'group' || kind === 'tenant' || kind === 'link' ? kind : undefined;
}

export function nameOfSubject(subject: string): string {
  const id = subject.slice(subject.indexOf(':') + 1);
  switch (kindOf(subject)) {
    case 'user':
      return nameOfUser(id);
    case 'group':
      return `Group ${id}`;
    case 'tenant':
      return 'Everyone in the workspace';
    case 'link':
      return 'Anyone with the link';
    case undefined:
      return subject;
  }
}
