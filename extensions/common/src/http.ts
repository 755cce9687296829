const LOOPBACK = new Set(['localhost', '127.0.0.1', '[::1]']);

/**
 * An address from which keys or permissions are fetched. Whoever can change the answer on its way can become
 * anybody, so it is HTTPS; plain HTTP only inside this machine.
 *
 * @throws TypeError that names `what`
 */
export function trustedUrl(text: string, what: string): URL {
  if (!URL.canParse(text)) throw new TypeError(`${what} is not a URL`);
  const url = new URL(text);
  const local = url.protocol === 'http:' && LOOPBACK.has(url.hostname);
  if (url.protocol !== 'https:' && !local) {
    throw new TypeError(`${what} must begin with https:// (http:// only for this machine)`);
  }
  return url;
}

/** Somebody else's server answered otherwise than it should: its message says all there is, a stack would be of who asked. */
export class UnusableAnswer extends Error {
  override readonly name = 'UnusableAnswer';
}

/**
 * The JSON of a response, of which at most `maxBytes` are read, whatever its Content-Length says.
 *
 * @throws UnusableAnswer when it is larger, or not JSON
 */
export async function readJson(response: Response, maxBytes: number): Promise<unknown> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  if (response.body) {
    // Leaving the loop by an exception cancels the stream, and with it the transfer.
    for await (const chunk of response.body as AsyncIterable<Uint8Array>) {
      bytes += chunk.byteLength;
      if (bytes > maxBytes) throw new UnusableAnswer(`the answer is larger than ${maxBytes} bytes`);
      chunks.push(chunk);
    }
  }
  try {
    return JSON.parse(Buffer.concat(chunks).toString('utf8'));
  } catch {
    throw new UnusableAnswer('the answer is not JSON');
  }
}
