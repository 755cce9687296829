/**
 * A document is addressed by its tenant and its name inside that tenant. The pair is written
 * `tenant/name` wherever one string is needed (maps, channels, logs, Hocuspocus' document name); a tenant
 * therefore never contains a slash, while a name may.
 */
export type DocumentKey = string & { readonly __brand: 'DocumentKey' };

const TENANT = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;
/** Bytes of UTF-8. Bounds the routing address of every frame and the width of every index entry. */
export const MAX_DOCUMENT_NAME_BYTES = 255;
// eslint-disable-next-line no-control-regex -- control characters are what is refused: NUL separates session ids on the wire
const CONTROL_CHARACTERS = /[\u0000-\u001f\u007f]/;

export function isTenant(value: string): boolean {
  return TENANT.test(value);
}

/** What clients resolve in an address, also percent-encoded, before they send it. */
const DOT_SEGMENTS: ReadonlySet<string> = new Set(['.', '..']);

/** `*` at the end is kept for patterns: whoever could create the document `*` would own every grant on it. */
export function isDocumentName(value: string): boolean {
  return isIdentifier(value) && value.trim() === value && !value.endsWith('*') && !DOT_SEGMENTS.has(value);
}

/** What names a document, a person or a group: 1 to 255 bytes of UTF-8 without control characters. */
export function isIdentifier(value: string): boolean {
  return (
    value.length > 0 &&
    value.isWellFormed() &&
    !CONTROL_CHARACTERS.test(value) &&
    Buffer.byteLength(value) <= MAX_DOCUMENT_NAME_BYTES
  );
}

/** Both parts must already have been checked with {@link isTenant} and {@link isDocumentName}. */
export function documentKey(tenant: string, name: string): DocumentKey {
  return `${tenant}/${name}` as DocumentKey;
}

export function tenantOf(key: DocumentKey): string {
  return key.slice(0, key.indexOf('/'));
}

export function nameOf(key: DocumentKey): string {
  return key.slice(key.indexOf('/') + 1);
}
