import type { z } from 'zod';
import { isOriginPattern } from '../origins.ts';
import * as value from './values.ts';

/**
 * The one table of everything that can be configured. Flags, environment variables, `--help`,
 * `docs/CONFIG.md`, `check-config` and the type {@link OptionValues} are all derived from it; a default exists
 * here and nowhere else.
 */
export interface Option<S extends z.ZodType = z.ZodType> {
  /** The environment variable. The flag is the option's name in kebab case. */
  readonly env: string;
  readonly section: Section;
  /** Stands for the value in `--help`. */
  readonly takes: string;
  readonly schema: S;
  /** As it would be written in the environment. Without one, the option is off until it is set. */
  readonly default?: string;
  /** What happens without a value, where the default is not a plain value. */
  readonly otherwise?: string;
  readonly description: string;
  /** Never shown and never logged. `<env>_FILE` names a file to read it from, as container secrets come. */
  readonly secret?: true;
}

export const SECTIONS = [
  'Server',
  'Database',
  'Redis',
  'Tokens',
  'Permissions',
  'Documents',
  'Worker',
  'Limits',
  'Connections',
  'Shutdown',
  'Logging',
] as const;
export type Section = (typeof SECTIONS)[number];

export const OPTIONS = {
  host: {
    env: 'HOST',
    section: 'Server',
    takes: 'address',
    schema: value.host,
    default: '127.0.0.1',
    description: 'Address to listen on; 0.0.0.0 for all. Other than loopback needs a key for tokens.',
  },
  port: {
    env: 'PORT',
    section: 'Server',
    takes: 'number',
    schema: value.integer(0, 65_535),
    default: '8080',
    description: 'Port to listen on; 0 takes a free one.',
  },
  environment: {
    env: 'NODE_ENV',
    section: 'Server',
    takes: 'name',
    schema: value.anyText,
    default: 'development',
    description: 'With production, development mode and migrating at start are off unless asked for.',
  },
  instanceId: {
    env: 'WEFT_INSTANCE_ID',
    section: 'Server',
    takes: 'id',
    schema: value.text('1 to 64 of the characters A–Z a–z 0–9 . _ -', /^[A-Za-z0-9._-]{1,64}$/),
    otherwise: 'the host name and a random part',
    description: 'Name of this process in log rows, presence and metrics. Never the same for two processes.',
  },
  allowedOrigins: {
    env: 'WEFT_ALLOWED_ORIGINS',
    section: 'Server',
    takes: 'origins',
    schema: value.list(
      'origins such as https://app.example.com or http://localhost:*, or *',
      isOriginPattern,
    ),
    default: '',
    otherwise: "the server's own origin; in development mode pages of this machine too",
    description:
      'Origins whose pages may connect and call the API, besides the own one; * for any, also as a port. Programs send none.',
  },
  trustedProxies: {
    env: 'WEFT_TRUSTED_PROXIES',
    section: 'Server',
    takes: 'addresses',
    schema: value.list('IP addresses, CIDR ranges, or loopback, linklocal, uniquelocal', (item) =>
      /^(loopback|linklocal|uniquelocal|[0-9A-Fa-f.:]+(\/\d{1,3})?)$/.test(item),
    ),
    default: '',
    otherwise: 'none',
    description: 'Load balancers whose X-Forwarded-For is believed when connections per address are counted.',
  },
  webRoot: {
    env: 'WEFT_WEB_ROOT',
    section: 'Server',
    takes: 'directory',
    schema: value.webRoot,
    otherwise: 'the demo editor',
    description: 'Directory of static files served at /; none serves no pages.',
  },
  metricsToken: {
    env: 'WEFT_METRICS_TOKEN',
    section: 'Server',
    takes: 'token',
    schema: value.anyText,
    otherwise: 'open',
    secret: true,
    description: 'Bearer token that /metrics asks for.',
  },

  databaseUrl: {
    env: 'DATABASE_URL',
    section: 'Database',
    takes: 'url',
    schema: value.url('postgres:', 'postgresql:'),
    otherwise: 'an embedded Postgres (PGlite) in the data directory',
    secret: true,
    description: 'Postgres 14 or newer, as postgres://user:password@host:5432/database.',
  },
  dataDir: {
    env: 'WEFT_DATA_DIR',
    section: 'Database',
    takes: 'directory',
    schema: value.anyText,
    default: './data',
    description: 'Holds the embedded Postgres and the secret of development mode.',
  },
  autoMigrate: {
    env: 'WEFT_AUTO_MIGRATE',
    section: 'Database',
    takes: 'yes|no',
    schema: value.flag,
    otherwise: 'yes with the embedded Postgres and outside production, else no',
    description: 'Bring the tables up to date at start. With no, run weft migrate before a new version.',
  },
  databasePool: {
    env: 'WEFT_DATABASE_POOL',
    section: 'Database',
    takes: 'number',
    schema: value.integer(2, 200),
    default: '10',
    description: 'Most connections to Postgres. One is kept for notifications, one for the log.',
  },
  databaseConnectTimeout: {
    env: 'WEFT_DATABASE_CONNECT_TIMEOUT',
    section: 'Database',
    takes: 'duration',
    schema: value.duration('100ms', '60s'),
    default: '5s',
    description: 'Longest wait for a connection to Postgres.',
  },
  databaseStatementTimeout: {
    env: 'WEFT_DATABASE_STATEMENT_TIMEOUT',
    section: 'Database',
    takes: 'duration',
    schema: value.duration('100ms', '10m'),
    default: '15s',
    description: 'Longest run of one statement.',
  },
  logBacklog: {
    env: 'WEFT_LOG_BACKLOG',
    section: 'Database',
    takes: 'size',
    schema: value.bytes('1MiB', '16GiB'),
    default: '64MiB',
    description:
      'Updates kept in memory while Postgres is away. Past it, their connections are asked to come back later.',
  },

  redisUrl: {
    env: 'REDIS_URL',
    section: 'Redis',
    takes: 'url',
    schema: value.url('redis:', 'rediss:'),
    otherwise: 'a single instance',
    secret: true,
    description:
      'Redis that links the instances; rediss:// for TLS. Needs DATABASE_URL. With sentinels its host is the name of the group they watch.',
  },
  redisSentinels: {
    env: 'WEFT_REDIS_SENTINELS',
    section: 'Redis',
    takes: 'host:port,…',
    schema: value.addresses,
    otherwise: 'none',
    description: 'Sentinels, which say who is master now.',
  },
  redisSentinelPassword: {
    env: 'WEFT_REDIS_SENTINEL_PASSWORD',
    section: 'Redis',
    takes: 'password',
    schema: value.anyText,
    otherwise: 'none',
    secret: true,
    description: 'Password of the sentinels. That of Redis itself stands in REDIS_URL.',
  },
  redisCluster: {
    env: 'WEFT_REDIS_CLUSTER',
    section: 'Redis',
    takes: 'yes|no',
    schema: value.flag,
    default: 'no',
    description: 'Whether REDIS_URL leads to a node of a Redis Cluster, which names the others.',
  },
  redisPrefix: {
    env: 'WEFT_REDIS_PREFIX',
    section: 'Redis',
    takes: 'text',
    schema: value.text('1 to 64 of the characters A–Z a–z 0–9 : . _ -', /^[A-Za-z0-9:._-]{1,64}$/),
    default: 'weft',
    description: 'Begins every key and channel, so that several installations can share a Redis.',
  },

  jwtSecret: {
    env: 'WEFT_JWT_SECRET',
    section: 'Tokens',
    takes: 'secret',
    schema: value.secret,
    secret: true,
    otherwise: 'development mode, unless another key is given',
    description: 'Shared secret of HS256 tokens.',
  },
  jwtPublicKey: {
    env: 'WEFT_JWT_PUBLIC_KEY',
    section: 'Tokens',
    takes: 'pem',
    schema: value.pem,
    secret: true,
    description: 'Public key of RS256 or ES256 tokens, in PEM form.',
  },
  jwksUrl: {
    env: 'WEFT_JWKS_URL',
    section: 'Tokens',
    takes: 'url',
    schema: value.askedUrl,
    description: "Your identity provider's key set (JWKS), for RS256 and ES256 tokens.",
  },
  jwtIssuer: {
    env: 'WEFT_JWT_ISSUER',
    section: 'Tokens',
    takes: 'text',
    schema: value.anyText,
    otherwise: 'not checked',
    description: 'The iss claim that tokens must have.',
  },
  jwtAudience: {
    env: 'WEFT_JWT_AUDIENCE',
    section: 'Tokens',
    takes: 'text',
    schema: value.anyText,
    otherwise: 'not checked',
    description: 'The aud claim that tokens must have.',
  },

  createDocuments: {
    env: 'WEFT_CREATE_DOCUMENTS',
    section: 'Permissions',
    takes: 'who',
    schema: value.choice('anyone', 'scope'),
    default: 'anyone',
    description: 'Who may create documents: anyone of the tenant, or tokens with scope create.',
  },
  permissionUrl: {
    env: 'WEFT_PERMISSION_URL',
    section: 'Permissions',
    takes: 'url',
    schema: value.askedUrl,
    otherwise: 'grants in Postgres and in tokens',
    description: 'Your endpoint that is asked for the role of a person on a document.',
  },
  permissionSecret: {
    env: 'WEFT_PERMISSION_SECRET',
    section: 'Permissions',
    takes: 'secret',
    schema: value.secret,
    secret: true,
    description: 'Signs the questions to the permission endpoint (HMAC-SHA256).',
  },
  permissionTtl: {
    env: 'WEFT_PERMISSION_TTL',
    section: 'Permissions',
    takes: 'duration',
    schema: value.duration('0s', '10m'),
    default: '10s',
    description: "How long the permission endpoint's answer holds.",
  },
  permissionTimeout: {
    env: 'WEFT_PERMISSION_TIMEOUT',
    section: 'Permissions',
    takes: 'duration',
    schema: value.duration('50ms', '30s'),
    default: '2s',
    description: 'Longest wait for the permission endpoint; after it the answer is no.',
  },

  defaultMode: {
    env: 'WEFT_DEFAULT_MODE',
    section: 'Documents',
    takes: 'mode',
    schema: value.choice('live', 'strict'),
    default: 'live',
    description: 'Mode of new documents. live shows an edit at once, strict after it is saved.',
  },
  compaction: {
    env: 'WEFT_COMPACTION',
    section: 'Documents',
    takes: 'yes|no',
    schema: value.flag,
    default: 'yes',
    description: 'Make snapshots and remove old rows in this process. no where weft worker runs beside it.',
  },
  compactionRows: {
    env: 'WEFT_COMPACTION_ROWS',
    section: 'Documents',
    takes: 'number',
    schema: value.integer(10, 1_000_000),
    default: '500',
    description: 'Rows after the newest snapshot that make a new one worth while.',
  },
  compactionInterval: {
    env: 'WEFT_COMPACTION_INTERVAL',
    section: 'Documents',
    takes: 'duration',
    schema: value.duration('100ms', '1h'),
    default: '15s',
    description: 'How often documents are looked for that need a snapshot.',
  },
  retention: {
    env: 'WEFT_RETENTION',
    section: 'Documents',
    takes: 'duration',
    schema: value.durationOr('forever', '0s', '3650d'),
    default: 'forever',
    description: 'How long rows are kept that a snapshot already covers. They are the history.',
  },
  auditRetention: {
    env: 'WEFT_AUDIT_RETENTION',
    section: 'Documents',
    takes: 'duration',
    schema: value.durationOr('forever', '1h', '3650d'),
    default: 'forever',
    description: 'How long entries of the audit log are kept.',
  },
  carriedGrace: {
    env: 'WEFT_CARRIED_GRACE',
    section: 'Documents',
    takes: 'duration',
    schema: value.durationOr('never', '0s', '1h'),
    default: '30s',
    description:
      "After a crash, how long another person's unsaved edits wait for their author before those who bring them back are believed.",
  },
  loadConcurrency: {
    env: 'WEFT_LOAD_CONCURRENCY',
    section: 'Documents',
    takes: 'number',
    schema: value.integer(1, 1_000),
    default: '16',
    description: 'Documents opened from the log at the same time; more wait.',
  },

  workerPort: {
    env: 'WEFT_WORKER_PORT',
    section: 'Worker',
    takes: 'number',
    schema: value.integer(0, 65_535),
    otherwise: 'none',
    description: 'Port of HOST at which weft worker answers /healthz and /metrics; 0 takes a free one.',
  },

  maxFrame: {
    env: 'WEFT_MAX_FRAME',
    section: 'Limits',
    takes: 'size',
    schema: value.bytes('1KiB', '256MiB'),
    default: '8MiB',
    description: 'Largest WebSocket message and request body, and so the largest single update.',
  },
  maxAwareness: {
    env: 'WEFT_MAX_AWARENESS',
    section: 'Limits',
    takes: 'size',
    schema: value.bytes('256B', '1MiB'),
    default: '16KiB',
    description: "Largest presence state of one client (cursor, name, the application's own fields).",
  },
  maxDocument: {
    env: 'WEFT_MAX_DOCUMENT',
    section: 'Limits',
    takes: 'size',
    schema: value.bytes('1KiB', '4GiB'),
    default: '64MiB',
    description: 'Largest document, as its merged update. Past it, it can be read but not grow.',
  },
  updateRate: {
    env: 'WEFT_UPDATE_RATE',
    section: 'Limits',
    takes: 'number',
    schema: value.integer(1, 100_000),
    default: '100',
    description: 'Updates per second of one document session, with bursts of ten seconds of it.',
  },
  awarenessRate: {
    env: 'WEFT_AWARENESS_RATE',
    section: 'Limits',
    takes: 'number',
    schema: value.integer(1, 100_000),
    default: '30',
    description: 'Presence frames per second of one document session. More are dropped, the newest is kept.',
  },
  costlyShare: {
    env: 'WEFT_COSTLY_SHARE',
    section: 'Limits',
    takes: 'percent',
    schema: value.integer(1, 100),
    default: '5',
    description:
      "Share of a core for updates of one person that have to be fitted in among very many others' edits; all people together may use four times that.",
  },
  costlyPatience: {
    env: 'WEFT_COSTLY_PATIENCE',
    section: 'Limits',
    takes: 'duration',
    schema: value.duration('0s', '5m'),
    default: '10s',
    description: 'How long such an update waits for its share before it is refused as update-costly.',
  },
  clientIdRate: {
    env: 'WEFT_CLIENT_ID_RATE',
    section: 'Limits',
    takes: 'number',
    schema: value.integer(1, 1_000_000),
    default: '100',
    description:
      'New Yjs client ids per minute of one person in one document on this instance, with bursts of ten minutes of it. Each load of a page is one.',
  },
  requestRate: {
    env: 'WEFT_REQUEST_RATE',
    section: 'Limits',
    takes: 'number',
    schema: value.integer(1, 1_000_000),
    default: '1200',
    description: 'API requests per minute of one address.',
  },
  refusedTokenRate: {
    env: 'WEFT_REFUSED_TOKEN_RATE',
    section: 'Limits',
    takes: 'number',
    schema: value.integer(1, 1_000_000),
    default: '1200',
    description:
      'Wrong or expired tokens per minute of one address (of IPv6: of one /64 network) over WebSockets, with bursts of a minute of it. Above it the address is told to come back later, whatever its tokens.',
  },
  connectionsPerPerson: {
    env: 'WEFT_CONNECTIONS_PER_PERSON',
    section: 'Limits',
    takes: 'number',
    schema: value.integer(1, 1_000_000),
    default: '100',
    description: 'WebSocket connections of one person to this instance.',
  },
  connectionsPerAddress: {
    env: 'WEFT_CONNECTIONS_PER_ADDRESS',
    section: 'Limits',
    takes: 'number',
    schema: value.integer(1, 1_000_000),
    default: '1000',
    description:
      'WebSocket connections of one address (of IPv6: of one /64 network) to this instance. Whole offices share one.',
  },
  documentsPerConnection: {
    env: 'WEFT_DOCUMENTS_PER_CONNECTION',
    section: 'Limits',
    takes: 'number',
    schema: value.integer(1, 100_000),
    default: '100',
    description: 'Documents open on one connection.',
  },

  authenticationTimeout: {
    env: 'WEFT_AUTHENTICATION_TIMEOUT',
    section: 'Connections',
    takes: 'duration',
    schema: value.duration('100ms', '5m'),
    default: '10s',
    description: 'Time a connection has to authenticate its first document.',
  },
  maxUnauthenticated: {
    env: 'WEFT_MAX_UNAUTHENTICATED',
    section: 'Connections',
    takes: 'size',
    schema: value.bytes('1KiB', '16MiB'),
    default: '64KiB',
    description: 'Bytes that a connection may send before it is authenticated.',
  },
  idleTimeout: {
    env: 'WEFT_IDLE_TIMEOUT',
    section: 'Connections',
    takes: 'duration',
    schema: value.duration('1s', '1d'),
    default: '60s',
    description: 'How long a connection without an open document is kept.',
  },
  heartbeatInterval: {
    env: 'WEFT_HEARTBEAT_INTERVAL',
    section: 'Connections',
    takes: 'duration',
    schema: value.duration('500ms', '10m'),
    default: '20s',
    description:
      'How long a connection may be silent before it is pinged; it is closed when it does not answer for half of that. Shorter than the idle time of your load balancer.',
  },
  presenceGrace: {
    env: 'WEFT_PRESENCE_GRACE',
    section: 'Connections',
    takes: 'duration',
    schema: value.duration('0s', '5m'),
    default: '5s',
    description: 'How long somebody whose connection broke is still shown as present.',
  },
  maxBuffered: {
    env: 'WEFT_MAX_BUFFERED',
    section: 'Connections',
    takes: 'size',
    schema: value.bytes('64KiB', '1GiB'),
    default: '16MiB',
    description: 'Bytes that may wait for a slow reader before its connection is closed.',
  },

  shutdownTimeout: {
    env: 'WEFT_SHUTDOWN_TIMEOUT',
    section: 'Shutdown',
    takes: 'duration',
    schema: value.duration('1s', '1h'),
    default: '25s',
    description: 'Time from SIGTERM to the end of the process at the latest.',
  },
  drainDelay: {
    env: 'WEFT_DRAIN_DELAY',
    section: 'Shutdown',
    takes: 'duration',
    schema: value.duration('0s', '10m'),
    default: '0s',
    description:
      'Time between answering not ready and moving clients away, for load balancers that look seldom.',
  },
  drainSpread: {
    env: 'WEFT_DRAIN_SPREAD',
    section: 'Shutdown',
    takes: 'duration',
    schema: value.duration('0s', '1h'),
    default: '5s',
    description: 'Connections are closed spread over this time, so that not all reconnect at once.',
  },

  logLevel: {
    env: 'WEFT_LOG_LEVEL',
    section: 'Logging',
    takes: 'level',
    schema: value.choice('debug', 'info', 'warn', 'error', 'silent'),
    default: 'info',
    description: 'Least severe level that is logged: debug, info, warn, error or silent.',
  },
  logFormat: {
    env: 'WEFT_LOG_FORMAT',
    section: 'Logging',
    takes: 'format',
    schema: value.choice('auto', 'pretty', 'json'),
    default: 'auto',
    description: 'json, one object per line; pretty, for people; auto: pretty on a terminal.',
  },
} as const satisfies Record<string, Option>;

export type OptionName = keyof typeof OPTIONS;

type ValueOf<O extends Option> = O extends { readonly default: string }
  ? z.output<O['schema']>
  : z.output<O['schema']> | undefined;

/** The values as they were given or by default; what follows from several of them is in `Config`. */
export type OptionValues = { readonly [Name in OptionName]: ValueOf<(typeof OPTIONS)[Name]> };

export const OPTION_NAMES = Object.keys(OPTIONS) as OptionName[];

/** Widens the literal types of the table for code that treats all options alike. */
export function optionOf(name: OptionName): Option {
  return OPTIONS[name];
}

/** `maxFrame` → `--max-frame`. */
export function flagOf(name: OptionName): string {
  return `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}
