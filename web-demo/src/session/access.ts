/** What this person may do in this document, as the server last said. */
export interface Access {
  readonly role: string;
  /** May change the text. */
  readonly writesText: boolean;
  /** May write comments. */
  readonly writesComments: boolean;
  /** May share the document. */
  readonly manages: boolean;
}

/** The root types of the shared document. A commenter may write `comments` and nothing else. */
export const TEXT_ROOT = 'default';
export const COMMENTS_ROOT = 'comments';

export function accessOf(event: {
  readonly role: string;
  readonly writable: '*' | readonly string[];
  readonly manage: boolean;
}): Access {
  const writes = (root: string): boolean => event.writable === '*' || event.writable.includes(root);
  return {
    role: event.role,
    writesText: writes(TEXT_ROOT),
    writesComments: writes(COMMENTS_ROOT),
    manages: event.manage,
  };
}

/** For servers that say no more than the Hocuspocus protocol does. */
export function accessOfScope(scope: string): Access {
  return scope === 'readonly'
    ? { role: 'viewer', writesText: false, writesComments: false, manages: false }
    : { role: 'editor', writesText: true, writesComments: true, manages: false };
}
