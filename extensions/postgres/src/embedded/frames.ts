/**
 * The Postgres wire protocol 3.0, as far as several connections need it to share one session.
 * A message is `type: byte · length: int32 (itself included) · body`; the first one of a connection has no type.
 * Source: https://www.postgresql.org/docs/current/protocol-message-formats.html
 */
export const PROTOCOL_3 = 196_608;
export const SSL_REQUEST = 80_877_103;
export const GSS_REQUEST = 80_877_104;
export const CANCEL_REQUEST = 80_877_102;

/** Types of frontend (client) messages. */
export const Frontend = {
  Bind: 0x42,
  Close: 0x43,
  Describe: 0x44,
  Flush: 0x48,
  Parse: 0x50,
  Query: 0x51,
  Sync: 0x53,
  Terminate: 0x58,
} as const;

/** Types of backend (server) messages. */
export const Backend = { Notification: 0x41, CommandComplete: 0x43, Error: 0x45, Ready: 0x5a } as const;

const HEADER = 5;
/** Describe and Close name a statement (`S`) or a portal. */
const STATEMENT = 0x53;

/** Splits a stream of typed messages at their boundaries; a part of a message waits for its rest. */
export class MessageSplitter {
  private rest: Buffer = Buffer.alloc(0);

  *push(chunk: Buffer): Generator<Buffer> {
    this.rest = this.rest.length === 0 ? chunk : Buffer.concat([this.rest, chunk]);
    while (this.rest.length >= HEADER) {
      const length = 1 + this.rest.readInt32BE(1);
      if (this.rest.length < length) return;
      yield this.rest.subarray(0, length);
      this.rest = this.rest.subarray(length);
    }
  }
}

export function message(type: string, body: Buffer): Buffer {
  const header = Buffer.alloc(HEADER);
  header.write(type, 0, 'latin1');
  header.writeInt32BE(4 + body.length, 1);
  return Buffer.concat([header, body]);
}

function cString(text: string): Buffer {
  return Buffer.from(`${text}\0`);
}

export function queryMessage(sql: string): Buffer {
  return message('Q', cString(sql));
}

export function errorMessage(severity: 'ERROR' | 'FATAL', sqlState: string, text: string): Buffer {
  return message(
    'E',
    Buffer.concat([
      cString(`S${severity}`),
      cString(`V${severity}`),
      cString(`C${sqlState}`),
      cString(`M${text}`),
      Buffer.from([0]),
    ]),
  );
}

/** `PANIC: could not write …` of an ErrorResponse after which the server is gone, nothing of any other. */
export function lastWords(frame: Buffer): string | undefined {
  const fields = frame
    .toString('utf8', HEADER)
    .split('\0')
    .map((field) => [field.charAt(0), field.slice(1)] as const);
  const { V: severity, M: text } = Object.fromEntries(fields);
  return severity === 'PANIC' || severity === 'FATAL' ? `${severity}: ${text}` : undefined;
}

/** What a server says to a client that it lets in. */
export function welcome(connection: number, parameters: Readonly<Record<string, string>>): Buffer {
  const key = Buffer.alloc(8);
  key.writeInt32BE(connection, 0);
  return Buffer.concat([
    message('R', Buffer.alloc(4)),
    ...Object.entries(parameters).map(([name, value]) =>
      message('S', Buffer.concat([cString(name), cString(value)])),
    ),
    message('K', key),
    message('Z', Buffer.from('I')),
  ]);
}

/** The parameters of a startup packet. */
export function startupParameters(packet: Buffer): Map<string, string> {
  const parts = packet.subarray(8).toString('utf8').split('\0');
  const parameters = new Map<string, string>();
  for (let index = 0; index + 1 < parts.length && parts[index]; index += 2) {
    parameters.set(parts[index] ?? '', parts[index + 1] ?? '');
  }
  return parameters;
}

/** The text of a CommandComplete message, such as `INSERT 0 1`. */
export function commandTag(frame: Buffer): string {
  return frame.subarray(HEADER, frame.length - 1).toString('latin1');
}

/**
 * Puts `prefix` before the name of the prepared statement that a message speaks of. Connections that share a
 * session share its prepared statements; without the prefix the second `PREPARE` of a name fails.
 */
export function withStatementPrefix(frame: Buffer, prefix: string): { frame: Buffer; statement?: string } {
  const type = frame[0];
  if (type === Frontend.Parse) return renamed(frame, HEADER, prefix);
  if (type === Frontend.Bind) return renamed(frame, frame.indexOf(0, HEADER) + 1, prefix);
  const names = type === Frontend.Describe || type === Frontend.Close;
  return names && frame[HEADER] === STATEMENT ? renamed(frame, HEADER + 1, prefix) : { frame };
}

function renamed(frame: Buffer, at: number, prefix: string): { frame: Buffer; statement?: string } {
  const end = frame.indexOf(0, at);
  if (end <= at) return { frame };
  const statement = prefix + frame.toString('utf8', at, end);
  const body = Buffer.concat([frame.subarray(HEADER, at), Buffer.from(statement), frame.subarray(end)]);
  return { frame: message(String.fromCharCode(frame[0] ?? 0), body), statement };
}
