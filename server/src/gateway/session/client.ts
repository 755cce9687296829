import type { ErrorCode } from '@weft/common';
import type { FrameSink } from '../wire/outbound.ts';
import type { FrameBody } from '../wire/frames.ts';

/**
 * How a client left: `at-once` when it said goodbye, lost its access, or was silent for longer than the grace before it
 * was given up; `with-grace` when its connection broke, and it may be about to come back.
 */
export type Leaving = 'at-once' | 'with-grace';

/** The client of a session: one address on one socket. */
export interface SessionClient {
  /** `name` or `name\0sessionId`, as the client writes it. */
  readonly addressKey: string;
  /** As it stands on the wire. */
  readonly address: Uint8Array;
  readonly out: FrameSink;
  /** When its first frame came, milliseconds since 1970. */
  readonly openedAt: number;
  /** Its session is over. */
  readonly ended: boolean;
  send(body: FrameBody): void;
  /** Ends its session with a typed reason. The socket and its other documents go on, where coming back makes no sense. */
  end(code: ErrorCode): void;
  /** One of its frames could not be handled: ends its session. */
  failed(error: unknown): void;
  /** It has said goodbye. */
  closedByClient(): void;
}
