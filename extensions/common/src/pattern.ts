import { isDocumentName } from './document.ts';

/**
 * A grant names one document, or with a `*` at its end all documents whose names begin like it; `*` alone is
 * every document of the tenant. No document name ends in `*`, so a name never is a pattern by accident.
 */
export function isPattern(value: string): boolean {
  return value.endsWith('*') ? value === '*' || isPrefix(value.slice(0, -1)) : isDocumentName(value);
}

/** A prefix may end in a space where a name may not: `my ` is how `my document` begins. */
function isPrefix(value: string): boolean {
  return isDocumentName(`${value}x`);
}

export function matchesPattern(pattern: string, name: string): boolean {
  return pattern.endsWith('*') ? name.startsWith(pattern.slice(0, -1)) : name === pattern;
}
