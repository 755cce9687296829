import type { IncomingMessage } from 'node:http';

/** Where there is no request, or nobody to look at it. */
export const NO_REQUEST = new Request('http://localhost');

/**
 * The upgrade request as Hocuspocus' hooks see it. A real `Request` and its `Headers` cost about 5 kB a connection,
 * for as long as it is open, and most extensions never look: they are made when somebody does.
 */
export class LightRequest {
  readonly url: string;
  readonly headers: Headers;

  constructor(request: IncomingMessage) {
    this.url = `http://${request.headers.host ?? 'localhost'}${request.url ?? '/'}`;
    this.headers = new LightHeaders(request.rawHeaders);
  }

  asRequest(): Request {
    return this as unknown as Request;
  }
}

/** `Headers`, made of the raw header lines at the first look. */
class LightHeaders implements Headers {
  private readonly raw: readonly string[];
  private made: Headers | undefined;

  constructor(raw: readonly string[]) {
    this.raw = raw;
  }

  append(name: string, value: string): void {
    this.full().append(name, value);
  }

  delete(name: string): void {
    this.full().delete(name);
  }

  get(name: string): string | null {
    return this.full().get(name);
  }

  getSetCookie(): string[] {
    return this.full().getSetCookie();
  }

  has(name: string): boolean {
    return this.full().has(name);
  }

  set(name: string, value: string): void {
    this.full().set(name, value);
  }

  forEach(callback: (value: string, name: string, headers: Headers) => void, receiver?: unknown): void {
    this.full().forEach((value, name) => callback.call(receiver, value, name, this));
  }

  keys(): ReturnType<Headers['keys']> {
    return this.full().keys();
  }

  values(): ReturnType<Headers['values']> {
    return this.full().values();
  }

  entries(): ReturnType<Headers['entries']> {
    return this.full().entries();
  }

  [Symbol.iterator](): ReturnType<Headers['entries']> {
    return this.entries();
  }

  private full(): Headers {
    this.made ??= new Headers(pairs(this.raw));
    return this.made;
  }
}

function pairs(raw: readonly string[]): [string, string][] {
  const result: [string, string][] = [];
  for (let i = 0; i + 1 < raw.length; i += 2) result.push([raw[i] as string, raw[i + 1] as string]);
  return result;
}
