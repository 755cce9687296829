/** What a client is told beyond the protocol, each as the body of a frame. */
import { ERRORS, isRetryable, type ErrorCode } from '@weft/common';
import type { Access } from '@weft/authorize';
import { serverEventBody, type FrameBody } from './frames.ts';

/** What it may. */
export function accessBody({ name, write, manage }: NonNullable<Access['role']>): FrameBody {
  return serverEventBody({ weft: 'access', role: name, writable: write, manage });
}

/** One of its updates was refused. */
export function refusedBody(code: ErrorCode, options: { readonly repaired: boolean }): FrameBody {
  return serverEventBody({ weft: 'refused', code, message: ERRORS[code].message, ...options });
}

/** Its document session ends. `retryAfter`: milliseconds. */
export function closedBody(code: ErrorCode, hint: { readonly retryAfter?: number } = {}): FrameBody {
  const { message } = ERRORS[code];
  return serverEventBody({ weft: 'closed', code, message, retryable: isRetryable(code), ...hint });
}
