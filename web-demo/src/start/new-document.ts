import { documentPath, navigate } from '../router.ts';

/** The title of a document until somebody gives it one. */
export const UNTITLED = 'Untitled';

const ALPHABET = '23456789abcdefghjkmnpqrstuvwxyz';
const LENGTH = 12;

/** 59 bits: two people who start a document at once never get the same name, and nobody guesses one. */
export function newDocumentName(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(LENGTH));
  return Array.from(bytes, (byte) => ALPHABET[byte % ALPHABET.length]).join('');
}

const JUST_MADE = 'just-made';

export function openNewDocument(name: string): void {
  navigate(documentPath(name), JUST_MADE);
}

/** Whether the person on this page made the document a moment ago, and so wants to write. Says so once. */
export function takeJustMade(): boolean {
  if (history.state !== JUST_MADE) return false;
  history.replaceState(null, '');
  return true;
}
