import { setTimeout as delay } from 'node:timers/promises';

export interface RestAnswer<T = unknown> {
  readonly status: number;
  readonly body: T;
  readonly headers: Headers;
}

/** A row of a document's log as REST gives it. */
export interface LogRow {
  readonly seq: number;
  readonly actor: string;
  readonly session: string;
  readonly at: string;
  /** Base64. */
  readonly update: string;
  readonly kind?: string;
}

export interface UpdatesPage {
  readonly epoch: number;
  readonly rows: readonly LogRow[];
  /** The cursor to go on from. */
  readonly next: string;
  readonly head: number;
}

export interface ErrorBody {
  readonly error: { readonly code: string; readonly message: string };
}

/** A refusal of the API, with its code. */
export class RestError extends Error {
  override readonly name = 'RestError';
  readonly status: number;
  readonly code: string;
  readonly body: unknown;

  constructor(request: string, { status, body }: RestAnswer) {
    const code = (body as Partial<ErrorBody> | undefined)?.error?.code ?? 'no code';
    super(`${request}: ${status} ${code}`);
    this.status = status;
    this.code = code;
    this.body = body;
  }
}

/** @throws RestError with status 503 where that lasts */
async function againWhileUnavailable<T>(ask: () => Promise<T>): Promise<T> {
  for (let attempt = 1; attempt < 10; attempt++) {
    try {
      return await ask();
    } catch (error) {
      if (!(error instanceof RestError && error.status === 503)) throw error;
      await delay(100 * attempt);
    }
  }
  return ask();
}

/** The management API as one person. Answers other than 2xx throw {@link RestError}, except from `request`. */
export class RestClient {
  private readonly url: string;
  private readonly token: string;

  constructor({ url, token }: { readonly url: string; readonly token: string }) {
    this.url = url;
    this.token = token;
  }

  async request<T = unknown>(method: string, path: string, body?: unknown): Promise<RestAnswer<T>> {
    const response = await fetch(`${this.url}${path}`, {
      method,
      headers: {
        authorization: `Bearer ${this.token}`,
        ...(body !== undefined && { 'content-type': 'application/json' }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(20_000),
    });
    const text = await response.text();
    const json = response.headers.get('content-type')?.includes('json') && text.length > 0;
    return {
      status: response.status,
      headers: response.headers,
      body: (json ? JSON.parse(text) : text) as T,
    };
  }

  private async must<T>(method: string, path: string, body?: unknown): Promise<T> {
    const answer = await this.request<T>(method, path, body);
    if (answer.status >= 300) throw new RestError(`${method} ${path}`, answer);
    return answer.body;
  }

  createDocument(name: string, body: object = {}): Promise<unknown> {
    return this.must('PUT', documentPath(name), body);
  }

  deleteDocument(name: string): Promise<unknown> {
    return this.must('DELETE', documentPath(name));
  }

  grant(name: string, subject: string, role: string, expiresAt?: string): Promise<unknown> {
    const path = `${documentPath(name)}/grants/${encodeURIComponent(subject)}`;
    return this.must('PUT', path, { role, ...(expiresAt && { expiresAt }) });
  }

  revoke(name: string, subject: string): Promise<unknown> {
    return this.must('DELETE', `${documentPath(name)}/grants/${encodeURIComponent(subject)}`);
  }

  updates(name: string, { after, limit }: { after?: string; limit?: number } = {}): Promise<UpdatesPage> {
    const query = new URLSearchParams();
    if (after !== undefined) query.set('after', after);
    if (limit !== undefined) query.set('limit', String(limit));
    return this.must('GET', `${documentPath(name)}/updates?${query.toString()}`);
  }

  /** All rows, by following the cursor as an integrator would, who asks again where the server can't answer now. */
  async log(name: string, { limit = 500 } = {}): Promise<LogRow[]> {
    const rows: LogRow[] = [];
    let after: string | undefined;
    for (;;) {
      const page = await againWhileUnavailable(() =>
        this.updates(name, { limit, ...(after !== undefined && { after }) }),
      );
      rows.push(...page.rows);
      const last = rows.at(-1)?.seq ?? 0;
      if (page.rows.length === 0 || last >= page.head) return rows;
      after = page.next;
    }
  }

  /** One merged Yjs update, encoding v1. */
  async state(name: string): Promise<Uint8Array> {
    const response = await fetch(`${this.url}${documentPath(name)}/state`, {
      headers: { authorization: `Bearer ${this.token}` },
      signal: AbortSignal.timeout(20_000),
    });
    if (!response.ok) throw new Error(`state of ${name}: ${response.status} ${await response.text()}`);
    return new Uint8Array(await response.arrayBuffer());
  }
}

function documentPath(name: string): string {
  return `/v1/documents/${encodeURIComponent(name)}`;
}
