import { ERRORS, isRetryable, WeftError, type ErrorCode } from '@weft/common';
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';

/** Fields of an error's JSON beyond code and message: a lost position comes with the one to go on from. */
export type ErrorFields = Readonly<Record<string, string | number | null>>;

export class ApiError extends WeftError {
  readonly fields: ErrorFields;

  constructor(code: ErrorCode, fields: ErrorFields, options: { cause?: unknown } = {}) {
    super(code, options);
    this.fields = fields;
  }
}

/** Seconds; clients add their own jitter. */
const RETRY_AFTER = '1';

export function sendError(error: WeftError, reply: FastifyReply, hint = ''): FastifyReply {
  const { code, status } = error;
  if (status === 401) reply.header('www-authenticate', 'Bearer');
  if (isRetryable(code)) reply.header('retry-after', RETRY_AFTER);
  reply.header('cache-control', 'no-store');
  const fields = error instanceof ApiError ? error.fields : {};
  return reply
    .code(status)
    .type('application/json; charset=utf-8')
    .send(JSON.stringify({ error: { code, message: ERRORS[code].message + hint, ...fields } }));
}

/** What Fastify refuses by itself, in our codes. Its message is shown only where it describes the schema. */
function fromFastify(error: FastifyError): WeftError {
  const options = { detail: error.message, cause: error };
  if (error.code === 'FST_ERR_CTP_BODY_TOO_LARGE') return new WeftError('frame-too-large', options);
  const status = error.statusCode ?? 500;
  if (status === 404) return new WeftError('not-found', options);
  if (status === 503) return new WeftError('server-draining', options);
  return new WeftError(status >= 400 && status < 500 ? 'bad-request' : 'internal', options);
}

export function errorHandler(error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const thrown = error as FastifyError;
  const known = error instanceof WeftError ? error : fromFastify(thrown);
  if (known.status >= 500) request.log.error({ err: error, code: known.code }, 'request failed');
  else request.log.debug({ code: known.code, detail: known.detail }, 'request refused');
  return sendError(known, reply, thrown.validation ? ` ${capitalized(thrown.message)}.` : '');
}

function capitalized(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
