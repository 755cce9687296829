import { AuthType, FrameType, type SyncType } from '@weft/common';
import * as encoding from 'lib0/encoding';

/** What a stock provider puts on the wire, byte for byte, without a provider behind it. */

function frame(address: string, write: (encoder: encoding.Encoder) => void): Uint8Array {
  const encoder = encoding.createEncoder();
  encoding.writeVarString(encoder, address);
  write(encoder);
  return encoding.toUint8Array(encoder);
}

export function tokenFrame(address: string, token: string): Uint8Array {
  return frame(address, (encoder) => {
    encoding.writeVarUint(encoder, FrameType.Auth);
    encoding.writeVarUint(encoder, AuthType.Token);
    encoding.writeVarString(encoder, token);
    encoding.writeVarString(encoder, '4.8.0');
  });
}

export function syncFrame(
  address: string,
  type: (typeof SyncType)[keyof typeof SyncType],
  body: Uint8Array,
): Uint8Array {
  return frame(address, (encoder) => {
    encoding.writeVarUint(encoder, FrameType.Sync);
    encoding.writeVarUint(encoder, type);
    encoding.writeVarUint8Array(encoder, body);
  });
}

export interface PresenceState {
  readonly clientId: number;
  readonly clock: number;
  readonly state: unknown;
}

export function awarenessFrame(address: string, { clientId, clock, state }: PresenceState): Uint8Array {
  const update = encoding.createEncoder();
  encoding.writeVarUint(update, 1);
  encoding.writeVarUint(update, clientId);
  encoding.writeVarUint(update, clock);
  encoding.writeVarString(update, JSON.stringify(state));
  return frame(address, (encoder) => {
    encoding.writeVarUint(encoder, FrameType.Awareness);
    encoding.writeVarUint8Array(encoder, encoding.toUint8Array(update));
  });
}

/** Of a document without content: the state vector {} and the update of nothing. */
export const EMPTY_STATE_VECTOR = Uint8Array.of(0);
export const EMPTY_UPDATE = Uint8Array.of(0, 0);

/** Ping and pong of the connection carry no address. */
export const PONG_FRAME = Uint8Array.of(FrameType.Pong);
