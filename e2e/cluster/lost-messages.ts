import type { FaultProxy } from '@weft/harness';
import type { Socket } from 'node:net';

const MESSAGE = Buffer.from('*3\r\n$7\r\nmessage\r\n');
const CRLF = Buffer.from('\r\n');
const NOTHING = Buffer.alloc(0);

/**
 * Takes published messages out of what Redis sends through a proxy, whole ones, so that the connection is none the
 * worse for it and nobody notices.
 */
export class LostMessages {
  losing = false;
  lost = 0;
  /** Only messages of channels that begin so. */
  private readonly channels: Buffer;
  /** What of an answer has come so far. */
  private readonly begun = new WeakMap<Socket, Buffer>();

  constructor(proxy: FaultProxy, channels: string) {
    this.channels = Buffer.from(channels);
    proxy.toClient.sieve = (chunk, connection) => this.sift(chunk, connection);
  }

  private sift(chunk: Buffer, connection: Socket): Buffer {
    const bytes = Buffer.concat([this.begun.get(connection) ?? NOTHING, chunk]);
    const kept: Buffer[] = [];
    let at = 0;
    for (let end = endOf(bytes, at); end !== undefined; end = endOf(bytes, at)) {
      const answer = bytes.subarray(at, end);
      if (this.losing && this.concerns(answer)) this.lost++;
      else kept.push(answer);
      at = end;
    }
    this.begun.set(connection, bytes.subarray(at));
    return Buffer.concat(kept);
  }

  private concerns(answer: Buffer): boolean {
    if (!answer.subarray(0, MESSAGE.length).equals(MESSAGE)) return false;
    const channel = answer.indexOf(CRLF, MESSAGE.length) + CRLF.length;
    return answer.subarray(channel, channel + this.channels.length).equals(this.channels);
  }
}

/**
 * Where the RESP2 value that begins at `at` ends; `undefined` when it has not all come.
 * Source: https://redis.io/docs/latest/develop/reference/protocol-spec/
 */
function endOf(bytes: Buffer, at: number): number | undefined {
  const line = bytes.indexOf(CRLF, at);
  if (line < 0) return undefined;
  const after = line + CRLF.length;
  const type = String.fromCharCode(bytes[at] ?? 0);
  if (type !== '$' && type !== '*') return after;
  const count = Number(bytes.toString('latin1', at + 1, line));
  if (count < 0) return after;
  if (type === '*') return endOfAll(bytes, after, count);
  const end = after + count + CRLF.length;
  return end <= bytes.length ? end : undefined;
}

function endOfAll(bytes: Buffer, at: number, count: number): number | undefined {
  let end: number | undefined = at;
  for (let read = 0; read < count && end !== undefined; read++) end = endOf(bytes, end);
  return end;
}
