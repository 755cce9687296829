/**
 * Frames of the Hocuspocus wire as Weft's hot path writes them: whole WebSocket frames (RFC 6455, server to client:
 * binary, final, unmasked), so that one buffer can be written to every socket that is to get the same bytes.
 */
import { AuthType, FrameType, SyncType, type ErrorCode, type ServerEvent } from '@weft/common';
import * as encoding from 'lib0/encoding';

/**
 * What follows the address in an outbound frame. Shared by all receivers; {@link webSocketFrame} puts a
 * receiver's address before it.
 */
export type FrameBody = Uint8Array;

function body(write: (encoder: encoding.Encoder) => void): FrameBody {
  const encoder = encoding.createEncoder();
  write(encoder);
  return encoding.toUint8Array(encoder);
}

export function updateBody(update: Uint8Array): FrameBody {
  return syncBody(SyncType.Update, update);
}

export function syncStep1Body(stateVector: Uint8Array): FrameBody {
  return syncBody(SyncType.Step1, stateVector);
}

export function syncStep2Body(update: Uint8Array): FrameBody {
  return syncBody(SyncType.Step2, update);
}

/** An update of no structs and no deletions. */
const NOTHING = Uint8Array.of(0, 0);

/** Ends what answers a SyncStep1 and was sent as updates: by SyncStep2 a client knows that it has everything. */
export const SYNCED_BODY = syncStep2Body(NOTHING);

/** By hand, since a state of megabytes must be copied once, not three times as by a growing encoder. */
function syncBody(type: number, payload: Uint8Array): FrameBody {
  const lengthBytes = varUintLength(payload.length);
  const bytes = Buffer.allocUnsafe(2 + lengthBytes + payload.length);
  bytes[0] = FrameType.Sync;
  bytes[1] = type;
  writeVarUint(bytes, 2, payload.length);
  bytes.set(payload, 2 + lengthBytes);
  return bytes;
}

export function awarenessBody(update: Uint8Array): FrameBody {
  return body((encoder) => {
    encoding.writeVarUint(encoder, FrameType.Awareness);
    encoding.writeVarUint8Array(encoder, update);
  });
}

/** What stands before `count` entries of `length` bytes together in a frame of presence. */
export function presenceHead(
  address: Uint8Array,
  { count, length }: { count: number; length: number },
): Buffer {
  const update = varUintLength(count) + length;
  const own = 1 + varUintLength(update) + varUintLength(count);
  const start = frameHeaderLength(address.length + own + length) + address.length;
  const head = Buffer.allocUnsafe(start + own);
  writeFrameHeader(head, address.length + own + length);
  head.set(address, start - address.length);
  head[start] = FrameType.Awareness;
  writeVarUint(head, start + 1, update);
  writeVarUint(head, start + own - varUintLength(count), count);
  return head;
}

const STATUS_SAVED: FrameBody = new Uint8Array([FrameType.SyncStatus, 1]);
const STATUS_REFUSED: FrameBody = new Uint8Array([FrameType.SyncStatus, 0]);

export function syncStatusBody(saved: boolean): FrameBody {
  return saved ? STATUS_SAVED : STATUS_REFUSED;
}

export const requestTokenBody: FrameBody = new Uint8Array([FrameType.Auth, AuthType.Token]);

/** `reason`: the code of an error, or what a user's hook says. */
export function permissionDeniedBody(reason: ErrorCode | (string & {})): FrameBody {
  return body((encoder) => {
    encoding.writeVarUint(encoder, FrameType.Auth);
    encoding.writeVarUint(encoder, AuthType.PermissionDenied);
    encoding.writeVarString(encoder, reason);
  });
}

export function authenticatedBody(readOnly: boolean): FrameBody {
  return body((encoder) => {
    encoding.writeVarUint(encoder, FrameType.Auth);
    encoding.writeVarUint(encoder, AuthType.Authenticated);
    encoding.writeVarString(encoder, readOnly ? 'readonly' : 'read-write');
  });
}

export function serverEventBody(event: ServerEvent): FrameBody {
  return body((encoder) => {
    encoding.writeVarUint(encoder, FrameType.Stateless);
    encoding.writeVarString(encoder, JSON.stringify(event));
  });
}

export function closeBody(reason: string): FrameBody {
  return body((encoder) => {
    encoding.writeVarUint(encoder, FrameType.Close);
    encoding.writeVarString(encoder, reason);
  });
}

/** An address as it stands on the wire: its length and its bytes. */
export function encodeAddress(address: string): Uint8Array {
  return body((encoder) => encoding.writeVarString(encoder, address));
}

const BINARY_FINAL = 0x82;

/** One whole WebSocket frame: header, address, body. */
export function webSocketFrame(address: Uint8Array, body: FrameBody): Buffer {
  const length = address.length + body.length;
  const headerLength = frameHeaderLength(length);
  const frame = Buffer.allocUnsafe(headerLength + length);
  writeFrameHeader(frame, length);
  frame.set(address, headerLength);
  frame.set(body, headerLength + address.length);
  return frame;
}

function frameHeaderLength(payload: number): number {
  return payload < 126 ? 2 : payload < 65_536 ? 4 : 10;
}

function writeFrameHeader(frame: Buffer, payload: number): void {
  frame[0] = BINARY_FINAL;
  if (payload < 126) frame[1] = payload;
  else if (payload < 65_536) {
    frame[1] = 126;
    frame.writeUInt16BE(payload, 2);
  } else {
    frame[1] = 127;
    frame.writeUInt32BE(0, 2);
    frame.writeUInt32BE(payload, 6);
  }
}

export function varUintLength(value: number): number {
  let length = 1;
  for (let rest = value; rest >= 0x80; rest = Math.floor(rest / 128)) length += 1;
  return length;
}

function writeVarUint(target: Uint8Array, offset: number, value: number): void {
  let rest = value;
  let at = offset;
  while (rest >= 0x80) {
    target[at++] = (rest & 0x7f) | 0x80;
    rest = Math.floor(rest / 128);
  }
  target[at] = rest;
}
