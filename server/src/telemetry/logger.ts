import { pino, type LogFn, type Logger } from 'pino';
import { prettyFactory } from 'pino-pretty';
import { foreignFailure } from './foreign-failure.ts';
import { Repetition } from './repetition.ts';
import { standardOutput, type StandardOutput } from './standard-output.ts';

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

interface Fields {
  readonly err?: unknown;
  readonly code?: unknown;
  readonly [name: string]: unknown;
}

const isRepeatable = (level: number): boolean =>
  level === pino.levels.values.warn || level === pino.levels.values.error;

/** How many lines of a kind are written at once: which documents or people it is about differs from line to line. */
const BURST = 5;

/** Warnings and errors in bounded number, those about something that is away in a few words. */
function boundedLogMethod() {
  const repetition = new Repetition();
  return function (this: Logger, args: Parameters<LogFn>, method: LogFn, level: number): void {
    const [given, message] = args as unknown as [Fields | string, string?];
    if (!isRepeatable(level) || typeof given === 'string' || given instanceof Error) {
      method.apply(this, args);
      return;
    }
    const { err, ...rest } = given;
    const reason = foreignFailure(err);
    const fields = reason === undefined ? given : { reason, ...rest };
    repetition.write({
      kind: [level, message, (err as Fields | undefined)?.code ?? rest.code].join(' '),
      burst: reason === undefined ? BURST : 1,
      write: (repeated) => method.call(this, { ...fields, ...(repeated && { repeated }) }, message),
    });
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
    hooks: { logMethod: boundedLogMethod() },
    redact: {
      paths: SECRET_FIELDS.flatMap((field) => [field, `*.${field}`, `*.*.${field}`]),
      censor: '[redacted]',
    },
  };
  const forPeople = format === 'pretty' || (format === 'auto' && process.stdout.isTTY);
  const output = standardOutput((lines) =>
    logger.warn({ lines }, 'lines of this log were lost: it was not read'),
  );
  const logger = forPeople ? pino(options, readable(output)) : pino(options, output);
  return logger;
}

function readable(output: StandardOutput): Pick<StandardOutput, 'write'> {
  const pretty = prettyFactory({
    ignore: 'pid,hostname,instance',
    translateTime: 'SYS:HH:MM:ss',
    singleLine: true,
  });
  return { write: (line: string) => output.write(pretty(line)) };
}
