import { AuthType, FrameType, SyncType } from '@weft/common';
import * as encoding from 'lib0/encoding';

/** A frame of the Hocuspocus protocol, right or wrong: `address` is `name` or `name\0sessionId`. */
export function clientFrame(
  address: string,
  type: number,
  write: (encoder: encoding.Encoder) => void = () => undefined,
): Uint8Array {
  return encoding.encode((encoder) => {
    encoding.writeVarString(encoder, address);
    encoding.writeVarUint(encoder, type);
    write(encoder);
  });
}

export function tokenFrame(address: string, token: string): Uint8Array {
  return clientFrame(address, FrameType.Auth, (encoder) => {
    encoding.writeVarUint(encoder, AuthType.Token);
    encoding.writeVarString(encoder, token);
  });
}

/** @param kind one of `SyncType`, with a state vector or an update as its payload */
export function syncFrame(
  address: string,
  kind: number,
  payload: Uint8Array,
  type: number = FrameType.Sync,
): Uint8Array {
  return clientFrame(address, type, (encoder) => {
    encoding.writeVarUint(encoder, kind);
    encoding.writeVarUint8Array(encoder, payload);
  });
}

export function updateFrame(address: string, update: Uint8Array): Uint8Array {
  return syncFrame(address, SyncType.Update, update);
}

export interface AwarenessClaim {
  readonly client: number;
  readonly clock: number;
  /** JSON, or what pretends to be. */
  readonly state: string;
}

export function awarenessBytes(claims: readonly AwarenessClaim[]): Uint8Array {
  return encoding.encode((encoder) => {
    encoding.writeVarUint(encoder, claims.length);
    for (const { client, clock, state } of claims) {
      encoding.writeVarUint(encoder, client);
      encoding.writeVarUint(encoder, clock);
      encoding.writeVarString(encoder, state);
    }
  });
}

export function awarenessFrame(address: string, bytes: Uint8Array): Uint8Array {
  return clientFrame(address, FrameType.Awareness, (encoder) => encoding.writeVarUint8Array(encoder, bytes));
}
