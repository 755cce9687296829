/**
 * The one table of everything Weft refuses. `docs/ERRORS.md` is checked against it.
 *
 * - `status`: the HTTP status.
 * - `close`: the WebSocket close code: 4400–4499 permanent, 4500–4599 come back later.
 * - `message`: says what to do. Never contains internals; details go to the log.
 */
export const ERRORS = {
  // Who are you
  'token-missing': { status: 401, close: 4401, message: 'Send a token.' },
  'token-invalid': { status: 401, close: 4401, message: 'The token is not valid here. Get a new one.' },
  'token-expired': { status: 401, close: 4402, message: 'The token has expired. Get a new one.' },
  'token-key-unknown': {
    status: 503,
    close: 4511,
    message: 'The key of this token is not known here yet. Come back in a moment.',
  },
  // May you
  forbidden: {
    status: 403,
    close: 4403,
    message: 'You have no right to do this. On a document, ask an owner; elsewhere the token needs a scope.',
  },
  'document-not-found': {
    status: 404,
    close: 4404,
    message: 'There is no such document, or you may not see it.',
  },
  'access-removed': { status: 403, close: 4405, message: 'Your access to this document has been removed.' },
  'write-forbidden': { status: 403, close: 4406, message: 'You may read this document, not change it.' },
  'root-forbidden': { status: 403, close: 4407, message: 'You may not change this part of the document.' },
  'client-id-taken': {
    status: 403,
    close: 4408,
    message: 'This Yjs client id belongs to somebody else. Make a new Y.Doc.',
  },
  'permissions-unavailable': {
    status: 503,
    close: 4510,
    message: 'Permissions cannot be checked right now. Try again.',
  },
  'origin-forbidden': { status: 403, close: 4409, message: 'Pages of this origin may not connect.' },
  // Is it what it claims to be
  'bad-request': { status: 400, close: 4410, message: 'The request is not of the documented form.' },
  'name-invalid': {
    status: 400,
    close: 4411,
    message:
      'A document name has 1 to 255 bytes, no control characters, no spaces at its ends, no * at its end, and is not a dot or two. A new one is in Unicode form NFC.',
  },
  'frame-malformed': { status: 400, close: 4412, message: 'The frame is not of the Hocuspocus protocol.' },
  'update-malformed': {
    status: 400,
    close: 4413,
    message: 'The update is not a well-formed Yjs update (v1).',
  },
  'update-missing-dependencies': {
    status: 409,
    close: 4512,
    message: 'The update refers to edits that the server does not have. Sync again.',
  },
  'update-costly': { status: 422, close: 4414, message: 'The update would cost too much to apply.' },
  'awareness-malformed': { status: 400, close: 4415, message: 'The presence frame is not well-formed.' },
  'document-rebuild': {
    status: 409,
    close: 4416,
    message: 'Your copy of the document has edits that were refused. Discard it and open the document again.',
  },
  'document-exists': { status: 409, close: 4417, message: 'There is a document of this name already.' },
  'document-deleted': { status: 410, close: 4418, message: 'The document has been deleted.' },
  'role-unknown': {
    status: 400,
    close: 4419,
    message: 'There is no such role. The answer lists those there are.',
  },
  'subject-invalid': {
    status: 400,
    close: 4420,
    message: 'A subject is user:<id>, group:<name>, tenant:* or link:*.',
  },
  'last-owner': { status: 409, close: 4421, message: 'A document keeps at least one owner.' },
  'cursor-epoch': {
    status: 409,
    close: 4422,
    message: 'The cursor is of another history of this document. Load the state and go on from its cursor.',
  },
  'cursor-pruned': {
    status: 409,
    close: 4423,
    message: 'The rows after this cursor are no longer kept. Load the state and go on from its cursor.',
  },
  'subdocument-forbidden': {
    status: 422,
    close: 4424,
    message:
      'Subdocuments are not taken. Keep the name of a document in a Y.Map, and open it with a provider of its own.',
  },
  'nested-too-deep': {
    status: 422,
    close: 4425,
    message:
      'Shared types may be nested 200 deep, values in them 100. Discard your copy, and keep the content flatter.',
  },
  // Is it too much
  'frame-too-large': { status: 413, close: 4430, message: 'The message is larger than the server takes.' },
  'awareness-too-large': {
    status: 413,
    close: 4431,
    message: 'The presence state is larger than the server takes.',
  },
  'document-too-large': { status: 413, close: 4432, message: 'The document has reached its size limit.' },
  'too-many-documents': {
    status: 429,
    close: 4433,
    message: 'Too many documents are open on this connection.',
  },
  'too-many-grants': {
    status: 409,
    close: 4434,
    message: 'The document has as many grants as it may have. Give the role to a group.',
  },
  'too-many-roles': {
    status: 409,
    close: 4435,
    message: 'The tenant has as many roles as it may have. Remove one that nobody needs.',
  },
  'rate-limited': { status: 429, close: 4520, message: 'Too many messages. Slow down and come back.' },
  'too-many-connections': { status: 429, close: 4521, message: 'Too many connections. Come back later.' },
  'slow-reader': {
    status: 429,
    close: 4522,
    message: 'The connection reads too slowly. Come back and sync.',
  },
  'authentication-timeout': { status: 408, close: 4523, message: 'No token arrived in time.' },
  'too-many-client-ids': {
    status: 429,
    close: 4525,
    message:
      'Too many new Yjs clients of one person in this document. Keep your Y.Doc, or come back in a minute.',
  },
  'session-lost': {
    status: 409,
    close: 4526,
    message: 'The session was ended by the late goodbye of an earlier one. Reconnect.',
  },
  'connection-idle': { status: 408, close: 4524, message: 'The connection was idle.' },
  // Can we
  'method-not-allowed': {
    status: 405,
    close: 4441,
    message: 'This address does not take the method of the request. Its header Allow lists those it takes.',
  },
  'not-found': {
    status: 404,
    close: 4440,
    message: 'There is nothing at this address. A slash in a name is written %2F.',
  },
  'server-draining': { status: 503, close: 4500, message: 'The server is restarting. Reconnect.' },
  'server-starting': { status: 503, close: 4507, message: 'The server is starting. Come back in a moment.' },
  'server-overloaded': { status: 503, close: 4501, message: 'The server is overloaded. Come back later.' },
  'log-unavailable': {
    status: 503,
    close: 4502,
    message: 'The log cannot be reached. Your edits are kept on your side; come back.',
  },
  'log-backlog-full': {
    status: 503,
    close: 4503,
    message: 'Too much waits to be saved. Your edits are kept on your side; come back.',
  },
  'log-write-failed': {
    status: 503,
    close: 4504,
    message: 'The edits could not be saved. They are kept on your side; come back.',
  },
  'document-reload': {
    status: 503,
    close: 4505,
    message: 'The document is being reloaded from the log. Reconnect.',
  },
  'load-busy': { status: 503, close: 4506, message: 'Too many documents are being opened. Come back.' },
  'document-damaged': {
    status: 500,
    close: 4508,
    message:
      'What is stored of this document is damaged, and is not shown in part. An operator has to restore it.',
  },
  internal: { status: 500, close: 4599, message: 'Internal error.' },
} as const satisfies Record<string, { status: number; close: number; message: string }>;

export type ErrorCode = keyof typeof ERRORS;

/** Close codes 4500–4599 ask the client to come back; 4400–4499 tell it that coming back changes nothing. */
export function isRetryable(code: ErrorCode): boolean {
  return ERRORS[code].close >= 4500;
}

export interface WeftErrorOptions {
  /** For the log only; never shown to a client. */
  readonly detail?: string;
  readonly cause?: unknown;
  /** Shown beside code and message, such as the position a reader can go on from. */
  readonly data?: Readonly<Record<string, unknown>>;
}

/** The only error that crosses a package boundary on purpose. `message` is the table's, safe to show. */
export class WeftError extends Error {
  override readonly name = 'WeftError';
  readonly code: ErrorCode;
  readonly detail: string | undefined;
  readonly data: Readonly<Record<string, unknown>> | undefined;

  constructor(code: ErrorCode, options: WeftErrorOptions = {}) {
    super(ERRORS[code].message, { cause: options.cause });
    this.code = code;
    this.detail = options.detail;
    this.data = options.data;
  }

  get status(): number {
    return ERRORS[this.code].status;
  }

  get closeCode(): number {
    return ERRORS[this.code].close;
  }
}

/** Anything that is not ours becomes `internal`, with the original as its cause. */
export function toWeftError(error: unknown): WeftError {
  return error instanceof WeftError ? error : new WeftError('internal', { cause: error });
}
