import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import { WeftError, type ErrorCode } from '@weft/common';
import fastify, {
  LogController,
  type FastifyBaseLogger,
  type FastifyInstance,
  type RawServerDefault,
} from 'fastify';
import type { Config } from '../config.ts';
import { refuseSocket } from './refuse-socket.ts';
import type { Services } from '../services.ts';
import { errorHandler } from './errors.ts';
import { strictValidators } from './validators.ts';

/** A Fastify whose routes take their types from their TypeBox schemas. */
export type App = FastifyInstance<
  RawServerDefault,
  IncomingMessage,
  ServerResponse,
  FastifyBaseLogger,
  TypeBoxTypeProvider
>;

/** Milliseconds in which a request has to arrive as a whole, so that slow senders hold nothing for long. */
const REQUEST_TIMEOUT = 30_000;
const HEADERS_TIMEOUT = 15_000;
/** How often Node looks for those that are late; its own 30 s would give them twice their time. */
const LATE_CHECK_INTERVAL = 5_000;
/** A token may have 64 KiB, as on a WebSocket; Node takes 16 KiB of headers altogether. */
const MAX_HEADER_BYTES = 80 * 1024;
/** Where a request goes whose address cannot be decoded. */
const UNREADABLE_ADDRESS = '/unreadable-address';

export interface BareAppOptions extends Pick<Services, 'logger' | 'metrics'> {
  readonly config: Pick<Config, 'trustedProxies'>;
  /** Which requests that would upgrade are for the upgrade listener; none: those of a server that has one. */
  readonly shouldUpgrade?: (request: IncomingMessage) => boolean;
}

/** Without routes of its own. */
export function bareApp({ config, logger, metrics, shouldUpgrade }: BareAppOptions): App {
  const refuse = errorHandler(metrics);
  // Typed as Fastify's own logger, else pino's type goes into the type of every route.
  const loggerInstance: FastifyBaseLogger = logger;
  const app = fastify({
    loggerInstance,
    logController: new LogController({ disableRequestLogging: true }),
    // An id of the client's could be anything, and would be in our log.
    requestIdHeader: false,
    genReqId: () => randomUUID(),
    trustProxy: config.trustedProxies.length > 0 ? [...config.trustedProxies] : false,
    bodyLimit: 64 * 1024,
    requestTimeout: REQUEST_TIMEOUT,
    http: {
      headersTimeout: HEADERS_TIMEOUT,
      connectionsCheckingInterval: LATE_CHECK_INTERVAL,
      maxHeaderSize: MAX_HEADER_BYTES,
      ...(shouldUpgrade && { shouldUpgradeCallback: shouldUpgrade }),
    },
    clientErrorHandler: refuseUnreadable,
    // The form of a name is for its schema to refuse: what the router refuses is answered without any hooks.
    routerOptions: { maxParamLength: MAX_HEADER_BYTES },
    rewriteUrl: ({ url = '/' }) => (isReadable(url) ? url : UNREADABLE_ADDRESS),
    frameworkErrors: (error, request, reply) => void refuse(error, request, reply),
  }).withTypeProvider<TypeBoxTypeProvider>();
  // Fastify takes plain text everywhere, and no route does.
  app.removeContentTypeParser('text/plain');
  takeEmptyJson(app);
  app.all(UNREADABLE_ADDRESS, { schema: { hide: true } }, () => {
    throw new WeftError('bad-request', { detail: 'the address is not well-formed' });
  });
  return app.setValidatorCompiler(strictValidators());
}

/** The router would refuse it too, but without the headers by which a page of another origin may read why. */
function isReadable(url: string): boolean {
  if (!url.includes('%')) return true;
  try {
    decodeURIComponent(url.split('?', 1)[0] ?? '');
    return true;
  } catch {
    return false;
  }
}

/**
 * Many clients say that JSON comes with every request they make, also with those that have no body, such as DELETE.
 * Where a body is needed its schema says so.
 */
function takeEmptyJson(app: App): void {
  const parse = app.getDefaultJsonParser('error', 'error');
  app.addContentTypeParser('application/json', { parseAs: 'string' }, (request, body: string, done) => {
    if (body === '') done(null, undefined);
    else void parse(request, body, done);
  });
}

const UNREADABLE: Readonly<Record<string, ErrorCode>> = {
  HPE_HEADER_OVERFLOW: 'frame-too-large',
  ERR_HTTP_REQUEST_TIMEOUT: 'connection-idle',
};

/** What Node's parser does not take never becomes a request. */
function refuseUnreadable({ code }: Error & { readonly code?: string }, socket: Socket): void {
  if (socket.writable) refuseSocket(socket, UNREADABLE[code ?? ''] ?? 'bad-request');
  else socket.destroy();
}
