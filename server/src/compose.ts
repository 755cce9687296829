import type { Extension } from '@hocuspocus/server';
import { AuditLog } from '@weft/audit';
import { createTokenVerifier } from '@weft/auth-jwt';
import {
  ClientBindings,
  Gate,
  GrantStore,
  HttpGrantSource,
  PostgresGrantSource,
  type RoleDefinitions,
  RoleTable,
  TenantRoles,
  TokenGrantSource,
  type GrantSource,
} from '@weft/authorize';
import { steadyClock, systemClock } from '@weft/common';
import { KeyedBuckets } from '@weft/limits';
import { MemoryPresence, RedisPresence, type PresenceRegistry } from '@weft/presence';
import { createRedisClient, RedisBackplane } from '@weft/redis-backplane';
import { DocumentStore, UpdateLog } from '@weft/update-log';
import { Administration } from './administration.ts';
import { createClusterReports, type ClusterReportOptions } from './cluster/index.ts';
import { createCompactor } from './compaction.ts';
import type { Config } from './config.ts';
import { databaseTrouble } from './database-trouble.ts';
import { openConfiguredDatabase } from './database.ts';
import { Gateway } from './gateway/gateway.ts';
import type { GatewayLimits } from './gateway/limits.ts';
import { Housekeeping } from './housekeeping.ts';
import { clientAddress } from './http/client-address.ts';
import type { Telemetry } from './lifecycle.ts';
import { redisTarget } from './redis-target.ts';
import { RefusedOrigins } from './refused-origins.ts';
import { prepareSchema } from './schema.ts';
import type { CollaborationPort } from './collaboration.ts';
import type { Services } from './services.ts';
import { tellingWhy } from './token-refusals.ts';

export interface ComposeOptions {
  /** Hocuspocus extensions of your own; their hooks are called as by a stock Hocuspocus. */
  readonly extensions?: readonly Extension[];
}

/** Makes everything and joins it: the only place that knows both sides of a port. Nothing runs yet. */
export async function compose(
  config: Config,
  { logger, metrics }: Telemetry,
  { extensions = [] }: ComposeOptions = {},
): Promise<Services> {
  const clock = systemClock;
  const instance = config.instanceId;
  const database = await openConfiguredDatabase(config, logger);
  const { pool, notifications } = database;
  metrics.gaugeOf(
    'weft_database_waiting',
    'Queries that wait because all connections of the pool are in use.',
    () => pool.waitingCount,
  );
  const roles = new RoleTable();
  const tenantRoles = new TenantRoles({ pool, roles });
  const tokenGrants = new TokenGrantSource({ roles, definitions: tenantRoles, logger });
  const sources: GrantSource[] = [
    new PostgresGrantSource({ pool, roles, notifications }),
    tokenGrants,
    ...askedSources(config, roles, tenantRoles),
  ];
  const gate = new Gate({ sources, logger });
  const audit = new AuditLog({ pool, clock, logger, metrics });
  const log = new UpdateLog({
    pool,
    instance,
    logger,
    metrics,
    clock,
    maxPendingBytes: config.logBacklog,
    syncToDisk: () => database.syncToDisk(),
  });
  const verifier = tellingWhy(
    createTokenVerifier({
      secret: config.jwtSecret,
      publicKey: config.jwtPublicKey,
      jwksUrl: config.jwksUrl,
      issuer: config.jwtIssuer,
      audience: config.jwtAudience,
    }),
    logger,
  );
  const documents = new DocumentStore();
  const grants = new GrantStore({ pool, roles });
  const clientIds = new KeyedBuckets({
    rate: config.clientIdRate / 60,
    burst: config.clientIdRate * 10,
    clock,
  });
  const bindings = new ClientBindings({
    pool,
    admit: (key, person, count) => clientIds.admit(JSON.stringify([key, person]), count),
  });
  const administration = new Administration({ pool, documents, grants, tenantRoles, bindings, audit });
  const upkeep = { config, database, logger, metrics };
  const compactor = config.compaction ? createCompactor(upkeep) : undefined;
  const housekeeping = config.compaction ? new Housekeeping(upkeep) : undefined;
  const { backplane, registry, reports } = connectInstances(config, { logger, metrics });
  const refusedOrigins = new RefusedOrigins(logger);
  const gateway = new Gateway({
    instance,
    limits: gatewayLimits(config),
    guardLimits: {},
    clock: steadyClock,
    wallClock: clock,
    logger,
    metrics,
    audit,
    verifier,
    gate,
    bindings,
    log,
    registry,
    backplane,
    // Not by a role of the tenant's own: it may be taken away, and whoever makes a document is its owner for good.
    mayCreateByOpening: async (principal, key) =>
      (await tokenGrants.resolve(principal, key)).roles.some((role) => role.write === '*'),
    createDocument: async (principal, key) => {
      await administration.createDocument(principal, key, { mode: config.defaultMode });
    },
    clientAddress: clientAddress(config.trustedProxies),
    allowedOrigins: config.allowedOrigins,
    refusedOrigins,
    extensions,
  });
  const presence = presenceOf(registry);
  // The log notices by what it appends, and where nobody writes it appends nothing.
  const trouble = () => log.stats().degradedBy ?? database.awayBecause();
  const { reporter, status } = createClusterReports({
    instance,
    gateway,
    heads: (ids) => log.heads(ids),
    metrics,
    clock,
    presence,
    degraded: () => trouble() !== undefined,
    redis: reports,
  });
  const unwatch = gate.watch((change) => gateway.accessChanged(change));
  return {
    config,
    logger,
    metrics,
    pool,
    verifier,
    documents,
    log,
    roles,
    tenantRoles,
    grants,
    bindings,
    gate,
    audit,
    administration,
    gateway,
    refusedOrigins,
    collaboration: {
      submitUpdate: (principal, key, update) => gateway.submitUpdate(principal, key, update),
      presence,
      accessChanged: (change) => gateway.accessChanged(change),
      closeDocument: async (key, code) => gateway.closeDocument(key, code),
    },
    cluster: status,
    health: () => {
      const error = trouble();
      return error === undefined
        ? { status: 'ok', checks: { log: { status: 'ok' } } }
        : {
            status: 'degraded',
            checks: { log: { status: 'degraded', reason: databaseTrouble(error) } },
          };
    },
    async start() {
      await prepareSchema({ config, database, logger });
      await gate.start();
      await registry.start();
      await gateway.start();
      await reporter.start();
      await compactor?.start();
      await housekeeping?.start();
    },
    async stop() {
      unwatch();
      await compactor?.stop();
      await housekeeping?.stop();
      await gateway.stop();
      await reporter.stop();
      await registry.stop();
      await log.stop({ timeoutMs: config.shutdownTimeout / 2 });
      await gate.stop();
      await audit.stop();
      await database.close();
    },
  };
}

/** The integrator's own endpoint, when there is one. */
function askedSources(config: Config, roles: RoleTable, definitions: RoleDefinitions): HttpGrantSource[] {
  const {
    permissionUrl: url,
    permissionSecret: secret,
    permissionTtl: ttl,
    permissionTimeout: timeout,
  } = config;
  return url === undefined || secret === undefined
    ? []
    : [new HttpGrantSource({ url, secret, roles, definitions, ttl, timeout })];
}

interface Connection {
  readonly backplane?: RedisBackplane;
  readonly registry: PresenceRegistry;
  readonly reports?: ClusterReportOptions['redis'];
}

/** What joins the instances: Redis, or nothing where there is only one. */
function connectInstances(config: Config, { logger, metrics }: Telemetry): Connection {
  const { redisPrefix, instanceId: instance, presenceGrace: grace } = config;
  const redis = redisTarget(config);
  if (!redis) return { registry: new MemoryPresence({ instance, grace, logger }) };
  const prefix = `${redisPrefix}:`;
  const connect = () => createRedisClient(redis);
  const backplane = new RedisBackplane({ redis, prefix, logger, metrics });
  return {
    backplane,
    registry: new RedisPresence({ connect, instance, prefix, grace, logger, metrics }),
    reports: {
      // Nothing to wait for: a Redis that hangs is asked again a second later.
      connect: () => createRedisClient(redis, { commandTimeout: 1_000 }),
      prefix,
      connected: () => backplane.connected,
    },
  };
}

function presenceOf(registry: PresenceRegistry): CollaborationPort['presence'] {
  return async (key) =>
    (await registry.list(key)).map(({ person, connection, instance, since }) => ({
      user: person.id,
      name: person.name,
      color: person.color,
      session: connection,
      instance,
      since,
    }));
}

function gatewayLimits(config: Config): GatewayLimits {
  return {
    frameBytes: config.maxFrame,
    updateBytes: config.maxFrame,
    documentBytes: config.maxDocument,
    stateVectorBytes: 1024 * 1024,
    updatesPerSecond: config.updateRate,
    updateBurst: config.updateRate * 10,
    awarenessBytes: config.maxAwareness,
    awarenessPerSecond: config.awarenessRate,
    awarenessBurst: config.awarenessRate * 2,
    outboundBytes: config.maxBuffered,
    inboundQueueBytes: config.maxFrame * 2,
    preAuthBytes: config.maxUnauthenticated,
    preAuthDeadline: config.authenticationTimeout,
    idleTimeout: config.idleTimeout,
    heartbeat: config.heartbeatInterval,
    documentsPerSocket: config.documentsPerConnection,
    connectionsPerAddress: config.connectionsPerAddress,
    refusedTokensPerMinute: config.refusedTokenRate,
    connectionsPerPerson: config.connectionsPerPerson,
    loadConcurrency: config.loadConcurrency,
    loadQueue: 1_000,
    unloadDelay: 5_000,
    presenceGrace: config.presenceGrace,
    joinWindow: 3,
    joinWindowPerReceiver: 0.25,
    costlyShare: config.costlyShare / 100,
    costlyPatience: config.costlyPatience,
    carriedGrace: config.carriedGrace,
    carriedBytes: 4 * 1024 * 1024,
  };
}
