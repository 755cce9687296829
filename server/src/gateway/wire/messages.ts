/** What a client is told beyond the protocol, each as the body of a frame. */
import { ERRORS, isRetryable, type ErrorCode } from '@weft/common';
import type { Access } from '@weft/authorize';
import type { DocumentLog } from '@weft/update-log';
import { serverEventBody, type FrameBody } from './frames.ts';

/** What it may, and in which document: one that was deleted and made again was made at another moment. */
export function accessBody(
  { name, write, manage }: NonNullable<Access['role']>,
  { createdAt }: Pick<DocumentLog, 'createdAt'>,
): FrameBody {
  const document = { createdAt: createdAt.toISOString() };
  return serverEventBody({ weft: 'access', role: name, writable: write, manage, ...document });
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
