import { ERRORS, isRetryable, refusalOf, WeftError, type ErrorCode, type Metrics } from '@weft/common';
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';

/** Seconds; clients add their own jitter. */
const RETRY_AFTER = '1';

export function sendError(error: WeftError, reply: FastifyReply, hint = ''): FastifyReply {
  const { code, status, data } = error;
  if (status === 401) reply.header('www-authenticate', 'Bearer');
  if (isRetryable(code)) reply.header('retry-after', RETRY_AFTER);
  reply.header('cache-control', 'no-store');
  return reply
    .code(status)
    .type('application/json; charset=utf-8')
    .send(JSON.stringify({ error: { code, message: ERRORS[code].message + hint, ...data } }));
}

/** What Fastify refuses by itself, in our codes. */
function fromFastify(error: FastifyError): WeftError {
  const options = { detail: error.message, cause: error };
  if (error.code === 'FST_ERR_CTP_BODY_TOO_LARGE') return new WeftError('frame-too-large', options);
  const status = error.statusCode ?? 500;
  if (status === 404) return new WeftError('not-found', options);
  if (status === 503) return new WeftError('server-draining', options);
  return new WeftError(status >= 400 && status < 500 ? 'bad-request' : 'internal', options);
}

function asWeftError(error: unknown): WeftError {
  const byFastify = error instanceof Error && 'statusCode' in error;
  return byFastify ? fromFastify(error as FastifyError) : refusalOf(error);
}

type ErrorHandler = (error: unknown, request: FastifyRequest, reply: FastifyReply) => FastifyReply;

/** The one place where errors become answers. */
export function errorHandler(metrics: Metrics): ErrorHandler {
  const refusals = metrics.counter('weft_refusals_total', 'What was refused, by error code.', ['code']);
  return (error, request, reply) => {
    const known = asWeftError(error);
    refusals.inc({ code: known.code });
    return answer({ error: error as FastifyError, known, request, reply });
  };
}

interface Refusal {
  readonly error: FastifyError;
  readonly known: WeftError;
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
}

function answer({ error, known, request, reply }: Refusal): FastifyReply {
  const { code, detail } = known;
  if (code === 'internal') request.log.error({ err: error }, 'request failed');
  // What a client got wrong is its own affair: nobody who operates the server can do anything about it.
  else if (known.cause && known.status >= 500)
    request.log.warn({ code, detail, err: known.cause }, 'request refused');
  else request.log.debug({ code, detail }, 'request refused');
  return sendError(known, reply, hintOf(known));
}

/** What is wrong with what was sent is its sender's to know; the details of everything else are for the log. */
const TOLD: ReadonlySet<ErrorCode> = new Set(['bad-request', 'token-invalid', 'origin-forbidden']);

function hintOf({ code, detail }: WeftError): string {
  return TOLD.has(code) && detail !== undefined ? ` ${capitalized(detail)}.` : '';
}

function capitalized(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
