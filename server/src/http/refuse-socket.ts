import { ERRORS, type ErrorCode } from '@weft/common';
import type { Duplex } from 'node:stream';

/** Answers whoever has no HTTP response to be answered by, such as an upgrade, and closes the connection. */
export function refuseSocket(socket: Duplex, code: ErrorCode, hint = ''): void {
  const { status, message } = ERRORS[code];
  const body = JSON.stringify({ error: { code, message: message + hint } });
  socket.end(
    [
      `HTTP/1.1 ${status} ${code}`,
      'Connection: close',
      'Content-Type: application/json; charset=utf-8',
      `Content-Length: ${Buffer.byteLength(body)}`,
      '',
      body,
    ].join('\r\n'),
  );
  // A peer that never closes its side would otherwise hold the socket.
  socket.once('finish', () => socket.destroy());
}
