import type { DocumentPage, DocumentSummary, Grant, GrantInput } from './types.ts';

/** `code` is one of the server's error codes, or `network` when there was no answer at all. */
export class RestError extends Error {
  override readonly name = 'RestError';
  readonly code: string;
  readonly status: number;

  constructor({ code, message, status }: { code: string; message: string; status: number }) {
    super(message);
    this.code = code;
    this.status = status;
  }
}

export function isTokenRefused(error: Error): boolean {
  return error instanceof RestError && error.status === 401;
}

export interface Rest {
  readonly listDocuments: () => Promise<DocumentSummary[]>;
  readonly readDocument: (name: string) => Promise<DocumentSummary>;
  readonly createDocument: (name: string, title: string) => Promise<void>;
  readonly renameDocument: (name: string, title: string) => Promise<void>;
  readonly deleteDocument: (name: string) => Promise<void>;
  readonly listGrants: (name: string) => Promise<readonly Grant[]>;
  readonly putGrant: (name: string, subject: string, grant: GrantInput) => Promise<void>;
  readonly deleteGrant: (name: string, subject: string) => Promise<void>;
}

/** `fresh`: the last token was refused, so one from a cache will not do. */
export type TokenSource = (options?: { fresh: boolean }) => Promise<string>;

const TIMEOUT_MS = 15_000;
/** Bounds what the start page loads; more than that needs a search on the server. */
const PAGE_SIZE = 500;
const MAX_PAGES = 10;

export function createRest(token: TokenSource): Rest {
  const call = (method: string, path: string, body?: object): Promise<unknown> =>
    callWithToken({ method, path, body, token });
  const document = (name: string): string => `/v1/documents/${encodeURIComponent(name)}`;
  const grant = (name: string, subject: string): string =>
    `${document(name)}/grants/${encodeURIComponent(subject)}`;

  return {
    async listDocuments() {
      const all: DocumentSummary[] = [];
      let path = `/v1/documents?limit=${PAGE_SIZE}`;
      for (let pages = 0; pages < MAX_PAGES; pages++) {
        const { documents, next } = (await call('GET', path)) as DocumentPage;
        all.push(...documents);
        if (!next) break;
        path = `/v1/documents?limit=${PAGE_SIZE}&after=${encodeURIComponent(next)}`;
      }
      return all;
    },
    readDocument: async (name) => (await call('GET', document(name))) as DocumentSummary,
    createDocument: async (name, title) => void (await call('PUT', document(name), { title })),
    renameDocument: async (name, title) => void (await call('PATCH', document(name), { title })),
    deleteDocument: async (name) => void (await call('DELETE', document(name))),
    listGrants: async (name) =>
      ((await call('GET', `${document(name)}/grants`)) as { grants: readonly Grant[] }).grants,
    putGrant: async (name, subject, input) => void (await call('PUT', grant(name, subject), input)),
    deleteGrant: async (name, subject) => void (await call('DELETE', grant(name, subject))),
  };
}

interface Call {
  readonly method: string;
  readonly path: string;
  readonly body: object | undefined;
  readonly token: TokenSource;
}

async function callWithToken({ token, ...request }: Call): Promise<unknown> {
  try {
    return await send({ ...request, token: await token() });
  } catch (error) {
    if (!(error instanceof RestError) || error.status !== 401) throw error;
    return send({ ...request, token: await token({ fresh: true }) });
  }
}

async function send(request: Omit<Call, 'token'> & { token: string }): Promise<unknown> {
  const { method, path, body, token } = request;
  const headers: Record<string, string> = { authorization: `Bearer ${token}` };
  if (body) headers['content-type'] = 'application/json';
  const response = await fetch(path, {
    method,
    headers,
    signal: AbortSignal.timeout(TIMEOUT_MS),
    ...(body ? { body: JSON.stringify(body) } : {}),
  }).catch(unreachable);
  // The connection may break in the middle of an answer.
  const answer = parsed(await response.text().catch(unreachable));
  if (!response.ok) throw errorOf(response.status, answer);
  return answer;
}

function unreachable(): never {
  throw new RestError({ code: 'network', status: 0, message: 'The server cannot be reached.' });
}

/** @returns `undefined` for an empty answer, and for the page of a proxy */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function errorOf(status: number, answer: unknown): RestError {
  const { code = 'internal', message = `The server answered ${status}.` } =
    (answer as { error?: { code?: string; message?: string } } | undefined)?.error ?? {};
  return new RestError({ code, message, status });
}
