import { pino, type Logger } from 'pino';
import { build as prettyStream } from 'pino-pretty';

export interface LoggerOptions {
  readonly level: string;
  readonly format: 'auto' | 'pretty' | 'json';
  readonly instance: string;
}

/**
 * Whatever a field of these names holds is not written. A net, not the rule: nothing should hand a secret to
 * the logger in the first place.
 */
const SECRET_FIELDS = [
  'authorization',
  'cookie',
  'token',
  'password',
  'secret',
  'connectionString',
  'databaseUrl',
  'redisUrl',
  'jwtSecret',
  'metricsToken',
  'permissionSecret',
];

/** Without what libraries hang on their errors: pg the whole client, with the key that cancels its queries. */
function serializeError(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  const { type, message, stack } = pino.stdSerializers.err(error);
  const { code, detail } = error as { code?: unknown; detail?: unknown };
  return {
    type,
    message,
    ...(code !== undefined && { code }),
    ...(detail !== undefined && { detail }),
    stack,
  };
}

/** pino: pretty for a person at a terminal, else one JSON object per line on stdout. */
export function createLogger({ level, format, instance }: LoggerOptions): Logger {
  const options = {
    level,
    base: { instance },
    timestamp: pino.stdTimeFunctions.isoTime,
    serializers: { err: serializeError },
    formatters: { level: (label: string) => ({ level: label }) },
    redact: {
      paths: SECRET_FIELDS.flatMap((field) => [field, `*.${field}`, `*.*.${field}`]),
      censor: '[redacted]',
    },
  };
  const forPeople = format === 'pretty' || (format === 'auto' && process.stdout.isTTY);
  if (!forPeople) return pino(options);
  // In this thread and synchronous: what was logged last before an exit is what one wants to read.
  return pino(
    options,
    prettyStream({ ignore: 'pid,hostname,instance', translateTime: 'SYS:HH:MM:ss', sync: true }),
  );
}
