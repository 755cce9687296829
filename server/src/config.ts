import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { isIP } from 'node:net';
import {
  flagOf,
  OPTION_NAMES,
  OPTIONS,
  optionOf,
  type Option,
  type OptionName,
  type OptionValues,
} from './config/options.ts';
import { LOCAL_ORIGINS } from './origins.ts';

export interface Config extends OptionValues {
  readonly instanceId: string;
  readonly autoMigrate: boolean;
  /**
   * No key for tokens was given: one is made up and kept in the data directory, and `POST /dev/token` hands
   * out tokens to whoever asks. Only on loopback and never in production.
   */
  readonly development: boolean;
  /** What is allowed but probably not meant. For the log. */
  readonly warnings: readonly string[];
}

export type FlagValues = Readonly<Partial<Record<OptionName, string>>>;
export type Environment = Readonly<Record<string, string | undefined>>;

/** Everything that is wrong with a configuration, at once: nobody should find it out one by one. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(['The configuration is refused:', ...problems.map((each) => `  - ${each}`)].join('\n'));
    this.problems = problems;
  }
}

/** `serving` needs a key for tokens wherever others can reach it; `maintenance` talks to the database alone. */
export type Purpose = 'serving' | 'maintenance';

export interface ConfigSources {
  readonly purpose?: Purpose;
  /** As commander gives them; they win over the environment. */
  readonly flags?: FlagValues;
  readonly environment?: Environment;
}

/**
 * Reads flags, then environment, then defaults.
 *
 * @throws {ConfigError} with all problems.
 */
export function loadConfig({
  purpose = 'serving',
  flags = {},
  environment = process.env,
}: ConfigSources = {}): Config {
  const problems: string[] = [];
  const given = new Set<OptionName>();
  const read: Record<string, unknown> = {};
  for (const name of OPTION_NAMES) {
    read[name] = readOption({ name, flags, environment, problems, given });
  }
  const values = read as unknown as OptionValues;
  problems.push(...contradictions(values, given));
  if (purpose === 'serving' && keysIn(given).length === 0) problems.push(...keyNeeded(values));
  if (problems.length > 0) throw new ConfigError(problems);
  const development = keysIn(given).length === 0;
  return {
    ...values,
    // Whoever may ask for any token has nothing to hide from pages of the same machine.
    allowedOrigins: development && !given.has('allowedOrigins') ? [...LOCAL_ORIGINS] : values.allowedOrigins,
    instanceId: values.instanceId ?? madeUpInstanceId(),
    autoMigrate: values.autoMigrate ?? (values.databaseUrl === undefined || !isProduction(values)),
    development,
    warnings: [...unknownVariables(environment), ...idleOptions(given)],
  };
}

interface OptionSource {
  readonly name: OptionName;
  readonly flags: FlagValues;
  readonly environment: Environment;
  readonly problems: string[];
  /** Gathers the options that were set, also those whose value could not be read. */
  readonly given: Set<OptionName>;
}

function readOption(source: OptionSource): unknown {
  const option = optionOf(source.name);
  const found = findText(source, option);
  if (!found) return undefined;
  const result = option.schema.safeParse(found.text);
  if (result.success) return result.data;
  const must = result.error.issues.map((issue) => issue.message).join(', ');
  const shown = option.secret ? '' : `, not ${JSON.stringify(found.text)}`;
  source.problems.push(`${found.where} must be ${must}${shown}.`);
  return undefined;
}

/** An empty variable counts as not set: that is how compose files and shells leave one out. */
function findText({ name, flags, environment, problems, given }: OptionSource, option: Option) {
  const flag = flags[name];
  const variable = environment[option.env];
  const file = option.secret ? environment[`${option.env}_FILE`] : undefined;
  if (flag === undefined && !variable && !file) {
    return option.default === undefined ? undefined : { text: option.default, where: option.env };
  }
  given.add(name);
  if (variable && file) problems.push(`${option.env} and ${option.env}_FILE are both set. Keep one of them.`);
  if (flag !== undefined) return { text: flag, where: flagOf(name) };
  if (variable) return { text: variable, where: option.env };
  try {
    return { text: readFileSync(file ?? '', 'utf8'), where: `${option.env}_FILE` };
  } catch {
    problems.push(`${option.env}_FILE names ${JSON.stringify(file)}, which cannot be read.`);
    return undefined;
  }
}

const KEY_OPTIONS = ['jwtSecret', 'jwtPublicKey', 'jwksUrl'] as const;
const KEY_NAMES = KEY_OPTIONS.map((name) => OPTIONS[name].env).join(', ');

const keysIn = (given: ReadonlySet<OptionName>) => KEY_OPTIONS.filter((name) => given.has(name));
const isProduction = (values: OptionValues) => values.environment === 'production';

export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));
}

/** What no option is wrong about on its own. A value that could not be read is `undefined`, and compares false. */
function contradictions(values: OptionValues, given: ReadonlySet<OptionName>): string[] {
  const problems: string[] = [];
  const keys = keysIn(given);
  if (keys.length > 1) {
    const names = keys.map((name) => OPTIONS[name].env).join(' and ');
    problems.push(`${names} are both set. Tokens have one kind of key: keep one of them.`);
  }
  if (given.has('redisUrl') && !given.has('databaseUrl')) {
    problems.push(
      'REDIS_URL links several instances, and each would have an embedded database of its own: set DATABASE_URL to one Postgres for all.',
    );
  }
  if (given.has('redisSentinels') && values.redisCluster) {
    problems.push(
      'WEFT_REDIS_SENTINELS and WEFT_REDIS_CLUSTER are both set. A Redis Cluster has no sentinels.',
    );
  }
  if (given.has('permissionUrl') && !given.has('permissionSecret')) {
    problems.push(
      'WEFT_PERMISSION_URL needs WEFT_PERMISSION_SECRET, by which your endpoint knows that it is asked by this server.',
    );
  }
  if (values.drainDelay + values.drainSpread >= values.shutdownTimeout) {
    problems.push(
      'WEFT_DRAIN_DELAY and WEFT_DRAIN_SPREAD together must be shorter than WEFT_SHUTDOWN_TIMEOUT, else clients are cut off.',
    );
  }
  if (values.maxFrame > values.maxDocument) {
    problems.push('WEFT_MAX_FRAME must not be larger than WEFT_MAX_DOCUMENT.');
  }
  return problems;
}

function keyNeeded(values: OptionValues): string[] {
  const remedy = `Set one of ${KEY_NAMES}`;
  if (isProduction(values)) {
    return [`NODE_ENV=production, and no key for tokens: anybody could be anyone. ${remedy}.`];
  }
  if (values.host !== undefined && !isLoopback(values.host)) {
    return [
      `HOST ${values.host} can be reached from outside, and no key for tokens is set: anybody could be anyone. ${remedy}, or listen on 127.0.0.1.`,
    ];
  }
  return [];
}

/** Two processes with one id would take each other's presence and rows for their own, so it is never only the host's. */
function madeUpInstanceId(): string {
  const host = hostname()
    .replaceAll(/[^A-Za-z0-9._-]/g, '-')
    .slice(0, 48);
  return `${host}-${randomBytes(4).toString('hex')}`;
}

const IDLE_WITHOUT = [
  ['permissionSecret', 'permissionUrl', 'no endpoint is asked'],
  ['redisSentinels', 'redisUrl', 'its host is the name of the group they watch'],
  ['redisSentinelPassword', 'redisSentinels', 'there are none'],
  ['redisCluster', 'redisUrl', 'no node is known'],
] as const satisfies readonly (readonly [OptionName, OptionName, string])[];

/** What is set and waits for something else to be set. */
function idleOptions(given: ReadonlySet<OptionName>): string[] {
  return IDLE_WITHOUT.flatMap(([name, needed, why]) =>
    given.has(name) && !given.has(needed)
      ? [`${OPTIONS[name].env} has no effect without ${OPTIONS[needed].env}: ${why}.`]
      : [],
  );
}

/** A misspelt variable is otherwise noticed only when the limit it should have set is missed. */
function unknownVariables(environment: Environment): string[] {
  const known = new Set<string>(OPTION_NAMES.map((name) => optionOf(name).env));
  return Object.keys(environment)
    .filter((name) => name.startsWith('WEFT_') && !known.has(name.replace(/_FILE$/, '')))
    .map((name) => `${name} is not an option of this version and has no effect.`);
}
