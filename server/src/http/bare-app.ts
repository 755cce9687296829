import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import fastify, {
  LogController,
  type FastifyBaseLogger,
  type FastifyInstance,
  type RawServerDefault,
} from 'fastify';
import type { Config } from '../config.ts';
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
/** A name has up to 255 bytes, each of up to three characters when percent-encoded; a subject has a prefix. */
const MAX_PARAMETER_LENGTH = 1_024;

export interface BareAppOptions extends Pick<Services, 'logger' | 'metrics'> {
  readonly config: Pick<Config, 'trustedProxies'>;
}

/** Without routes. */
export function bareApp({ config, logger, metrics }: BareAppOptions): App {
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
    http: { headersTimeout: HEADERS_TIMEOUT },
    routerOptions: { maxParamLength: MAX_PARAMETER_LENGTH },
    frameworkErrors: (error, request, reply) => void refuse(error, request, reply),
  }).withTypeProvider<TypeBoxTypeProvider>();
  // Fastify takes plain text everywhere, and no route does.
  app.removeContentTypeParser('text/plain');
  return app.setValidatorCompiler(strictValidators());
}
