import type { Config } from '../config.ts';
import { OPTION_NAMES, type OptionName } from '../config/options.ts';

const DATABASE = [
  'databaseUrl',
  'dataDir',
  'databasePool',
  'databaseConnectTimeout',
  'databaseStatementTimeout',
] as const satisfies readonly OptionName[];
/** With the name of the process, which is in every line. */
const LOGGING = ['logLevel', 'logFormat', 'instanceId'] as const satisfies readonly OptionName[];

/**
 * The options that each command reads, and so takes and lists in its help. The compiler keeps those of commands that
 * read a few from reading others; `serve` and `check-config` get the whole configuration.
 */
export const COMMAND_OPTIONS = {
  serve: OPTION_NAMES.filter((name) => name !== 'workerPort'),
  migrate: [...DATABASE, ...LOGGING],
  worker: [
    ...DATABASE,
    ...LOGGING,
    'host',
    'environment',
    'trustedProxies',
    'metricsToken',
    'autoMigrate',
    'compactionRows',
    'compactionInterval',
    'retention',
    'auditRetention',
    'workerPort',
  ],
  'renew-epochs': [...DATABASE, ...LOGGING],
  token: ['environment', 'dataDir', 'jwtSecret', 'jwtIssuer', 'jwtAudience'],
  'check-config': OPTION_NAMES,
} as const satisfies Record<string, readonly OptionName[]>;

export type CommandName = keyof typeof COMMAND_OPTIONS;

/** What a command may read of the configuration. */
export type CommandConfig<Name extends CommandName> = Pick<Config, (typeof COMMAND_OPTIONS)[Name][number]>;
