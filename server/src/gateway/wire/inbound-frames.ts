/** What an inbound frame says, read without handling it. */
import { AuthType, FrameType, SESSION_SEPARATOR, SyncType, WeftError } from '@weft/common';
import type { FrameReader } from './frame-reader.ts';

/** Whose address a frame has: of the document, and of the session-aware provider, where several share a socket. */
export function parseAddress(address: string): { readonly name: string; readonly sessionId: string | null } {
  const separator = address.indexOf(SESSION_SEPARATOR);
  if (separator < 0) return { name: address, sessionId: null };
  return { name: address.slice(0, separator), sessionId: address.slice(separator + 1) };
}

/** What a client says to get in; of older versions of the provider without its version. */
export function readToken(reader: FrameReader): {
  readonly token: string;
  readonly providerVersion: string | null;
} {
  if (reader.uint() !== AuthType.Token) throw new WeftError('frame-malformed', { detail: 'auth type' });
  const token = reader.string();
  return { token, providerVersion: reader.done ? null : reader.string() };
}

/** SyncStep1 with the state vector of somebody who has nothing. */
const FIRST_SYNC = Buffer.from([FrameType.Sync, SyncType.Step1, 1, 0]);

/** Of a frame from its type on. */
export function isFirstSync(body: Uint8Array): boolean {
  return FIRST_SYNC.equals(body);
}

/** SyncStep1, read up to its type. */
export function asksForDocument(type: number, { bytes, offset }: FrameReader): boolean {
  return type === FrameType.Sync && bytes[offset] === SyncType.Step1;
}
