import type { Access } from './access.ts';
import type { SessionEnd } from './status.ts';

/** The copy in this browser is of a document that had the name before; the server never says so, the page finds out. */
const DOCUMENT_REMADE = 'document-remade';
/** The copy in this browser holds what the server refuses: only a fresh one can go on. */
const NEEDS_FRESH_COPY = new Set([
  DOCUMENT_REMADE,
  'document-rebuild',
  'client-id-taken',
  'document-too-large',
  'frame-too-large',
]);
/** What was kept on this device must not outlive the right to see it. */
const FORGETS_LOCAL_COPY = new Set(['access-removed', 'document-deleted']);
const NEEDS_NEW_TOKEN = new Set(['token-missing', 'token-invalid', 'token-expired']);

const RETRYABLE = new Set([
  'token-key-unknown',
  'permissions-unavailable',
  'update-missing-dependencies',
  'rate-limited',
  'too-many-connections',
  'too-many-client-ids',
  'slow-reader',
  'authentication-timeout',
  'connection-idle',
  'session-lost',
  'server-starting',
  'server-draining',
  'server-overloaded',
  'log-unavailable',
  'log-backlog-full',
  'log-write-failed',
  'document-reload',
  'load-busy',
  'document-damaged',
  'internal',
]);

const NOT_UNDERSTOOD = 'The server does not understand what this page sends. Load the page again.';

/** In the words of a person who writes; those of the server are for developers. */
const MESSAGES: Record<string, string> = {
  [DOCUMENT_REMADE]: 'The document was deleted, and another made under its name, which is opened instead.',
  'document-rebuild': 'Some of your changes could not be taken, so the document was opened afresh.',
  'client-id-taken': 'Two copies of this document wrote as one, so it was opened afresh.',
  'document-too-large':
    'This document has reached its size limit. Delete what is no longer needed, or go on in a new document.',
  'frame-too-large': 'That was more at once than the server takes. Insert it in smaller parts.',
  'too-many-documents': 'Too many documents are open at once. Close some of them and try again.',
  'name-invalid': 'No document can have this address. Check the link that brought you here.',
  'frame-malformed': NOT_UNDERSTOOD,
  'update-malformed': NOT_UNDERSTOOD,
  'subdocument-forbidden': NOT_UNDERSTOOD,
  'nested-too-deep':
    'Some of what was inserted lies too deep within other things to be kept. Insert it with fewer levels.',
  'awareness-malformed': NOT_UNDERSTOOD,
  'awareness-too-large': NOT_UNDERSTOOD,
  'document-not-found': 'There is no such document, or you may not see it.',
  'access-removed': 'Your access to this document has been removed.',
  'document-deleted': 'The document has been deleted.',
  'token-expired': 'Your session has expired.',
  'token-invalid': 'The server does not accept your token.',
  'token-missing': 'The server asks for a token.',
  forbidden: 'You have no right to open this document.',
};

const CODE = /^[a-z]+(-[a-z]+)+$|^(forbidden|internal)$/;
/** https://www.rfc-editor.org/rfc/rfc6455#section-7.4.1 */
const MESSAGE_TOO_BIG = 1009;
const TOKEN_FUNCTION_FAILED = 'Failed to get token';

export const needsFreshCopy = ({ code }: SessionEnd): boolean => NEEDS_FRESH_COPY.has(code);
export const isOfEarlierDocument = ({ code }: SessionEnd): boolean => code === DOCUMENT_REMADE;
export const forgetsLocalCopy = ({ code }: SessionEnd): boolean => FORGETS_LOCAL_COPY.has(code);
export const needsNewToken = ({ code }: SessionEnd): boolean => NEEDS_NEW_TOKEN.has(code);

/**
 * The reason of a refused authentication is an error code; a stock server sends prose. `before` is the access of
 * this or an earlier session: whoever had some and now gets "no such document" has lost it meanwhile.
 */
export function endOfAuthentication(reason: string, before?: Access): SessionEnd {
  if (reason.startsWith(TOKEN_FUNCTION_FAILED)) {
    return { code: 'token-missing', message: 'No token could be fetched.', retryable: true };
  }
  if (reason === 'document-not-found' && before) {
    return {
      code: 'access-removed',
      message: 'Your access to this document has been removed, or the document deleted.',
      retryable: false,
    };
  }
  return endOfCode(CODE.test(reason) ? reason : 'forbidden');
}

/**
 * Close codes 4400–4499 with an error code as their reason are for good, and so is that a message is too big: it would
 * be sent again. Everything else is an ordinary loss of the connection, which the provider repairs by itself.
 */
export function endOfClose(event: {
  readonly code: number;
  readonly reason: string;
}): SessionEnd | undefined {
  if (event.code === MESSAGE_TOO_BIG) return endOfCode('frame-too-large');
  const permanent = event.code >= 4400 && event.code < 4500;
  return permanent && CODE.test(event.reason) ? endOfCode(event.reason) : undefined;
}

/** The document was deleted and made again. */
export const earlierDocument = (): SessionEnd => endOfCode(DOCUMENT_REMADE);

function endOfCode(code: string): SessionEnd {
  return {
    code,
    message: messageOf(code) ?? 'The server has ended this session.',
    retryable: RETRYABLE.has(code),
  };
}

/** @returns `undefined` for a code that the editor has no words of its own for */
export function messageOf(code: string): string | undefined {
  return MESSAGES[code];
}
