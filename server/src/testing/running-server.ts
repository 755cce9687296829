import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { signToken, type TokenRequest } from '@weft/auth-jwt';
import { compose, type ComposeOptions } from '../compose.ts';
import { loadConfig, type Environment } from '../config.ts';
import { start, type RunningServer } from '../lifecycle.ts';
import type { Services } from '../services.ts';

export const SECRET = 'a secret that is only known to these tests';

export interface TestServer extends RunningServer {
  /** What it is made of, to be asked past HTTP. */
  readonly services: Services;
  token(request: TokenRequest): string;
  /** Asks as that person. */
  as(request: TokenRequest): Ask;
  /** Asks without a token. */
  readonly ask: Ask;
  remove(): Promise<void>;
}

export interface AskOptions {
  readonly headers?: Record<string, string>;
  /** JSON, or bytes as they are. */
  readonly body?: object;
}

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly bytes: Uint8Array;
  /** Parsed JSON; `undefined` when it is none. */
  readonly body: unknown;
  /** The code of a refusal. */
  readonly code: string | undefined;
}

export type Ask = (method: string, path: string, options?: AskOptions) => Promise<Answer>;

/** The whole server in this process, on a free port, over a database of the test's own. */
export async function startTestServer(
  environment: Environment,
  options: ComposeOptions = {},
): Promise<TestServer> {
  const dataDir = mkdtempSync(join(tmpdir(), 'weft-server-'));
  const removeData = () => rmSync(dataDir, { recursive: true, force: true });
  let services!: Services;
  const run = async (): Promise<RunningServer> => {
    const config = loadConfig({
      environment: {
        PORT: '0',
        WEFT_DATA_DIR: dataDir,
        WEFT_LOG_LEVEL: 'silent',
        WEFT_JWT_SECRET: SECRET,
        WEFT_DRAIN_SPREAD: '0s',
        WEFT_WEB_ROOT: 'none',
        ...environment,
      },
    });
    return start(config, {
      compose: async (made, telemetry) => (services = await compose(made, telemetry, options)),
    });
  };
  const server = await run().catch((error: unknown) => {
    removeData();
    throw error;
  });
  const token = (request: TokenRequest) => signToken(SECRET, request);
  const ask = asker(server.url);
  return Object.assign(server, {
    services,
    token,
    as: (request: TokenRequest) => asker(server.url, token(request)),
    ask,
    async remove() {
      await server.stop();
      removeData();
    },
  });
}

function asker(url: string, token?: string): Ask {
  return async (method, path, { headers, body } = {}) => {
    const binary = body instanceof Uint8Array;
    const type = binary ? 'application/octet-stream' : 'application/json';
    const response = await fetch(`${url}${path}`, {
      method,
      headers: {
        ...(token && { authorization: `Bearer ${token}` }),
        ...(body && { 'content-type': type }),
        ...headers,
      },
      ...(body && { body: binary ? new Uint8Array(body) : JSON.stringify(body) }),
    });
    const bytes = new Uint8Array(await response.arrayBuffer());
    return { status: response.status, headers: response.headers, bytes, ...readJson(response, bytes) };
  };
}

function readJson(response: Response, bytes: Uint8Array): Pick<Answer, 'body' | 'code'> {
  const isJson = response.headers.get('content-type')?.startsWith('application/json') && bytes.length > 0;
  if (!isJson) return { body: undefined, code: undefined };
  const body: unknown = JSON.parse(Buffer.from(bytes).toString('utf8'));
  return { body, code: (body as { error?: { code?: string } } | null)?.error?.code };
}
