import type { IncomingMessage } from 'node:http';

/**
 * The upgrade request as Hocuspocus' hooks see it. A real `Request` costs about 4 kB a connection, for as long as
 * it is open, and most extensions never look: it is made when somebody does.
 */
export class LightRequest {
  readonly url: string;
  private readonly rawHeaders: readonly string[];
  private made: Request | undefined;

  constructor(request: IncomingMessage) {
    this.url = `http://${request.headers.host ?? 'localhost'}${request.url ?? '/'}`;
    this.rawHeaders = request.rawHeaders;
  }

  get headers(): Headers {
    return this.full().headers;
  }

  asRequest(): Request {
    return this as unknown as Request;
  }

  private full(): Request {
    this.made ??= new Request(this.url, { headers: pairs(this.rawHeaders) });
    return this.made;
  }
}

function pairs(raw: readonly string[]): [string, string][] {
  const result: [string, string][] = [];
  for (let i = 0; i + 1 < raw.length; i += 2) result.push([raw[i] as string, raw[i + 1] as string]);
  return result;
}
