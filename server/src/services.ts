import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { AuditLog } from '@weft/audit';
import type { TokenVerifier } from '@weft/auth-jwt';
import type { ClientBindings, Gate, GrantStore, RoleTable, TenantRoles } from '@weft/authorize';
import type { Service } from '@weft/common';
import type { DocumentStore, UpdateLog } from '@weft/update-log';
import type { Pool } from 'pg';
import type { Logger } from 'pino';
import type { Administration } from './administration.ts';
import type { ClusterStatus } from './cluster/cluster-view.ts';
import type { CollaborationPort } from './collaboration.ts';
import type { Config } from './config.ts';
import type { RefusedOrigins } from './refused-origins.ts';
import type { PrometheusMetrics } from './telemetry/metrics.ts';

/** One dependency as the readiness probe reports it. */
export interface Check {
  readonly status: 'ok' | 'degraded' | 'failing';
  /** For operators; never holds addresses or credentials. */
  readonly reason?: string;
}

/** The worst of the checks is the status of the whole. */
export interface HealthReport {
  readonly status: Check['status'];
  readonly checks: Readonly<Record<string, Check>>;
}

export interface DrainOptions {
  /** Milliseconds over which connections are closed. */
  readonly spread: number;
}

export interface GatewayStats {
  readonly connections: number;
  readonly sessions: number;
  readonly documents: number;
}

/** The WebSocket side. */
export interface GatewayPort {
  /** Owns the socket from here on; must not throw for anything that a client sends. */
  handleUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void;
  /** Commits what is in flight, then closes all connections with a retryable code. Takes no new ones. */
  drain(options: DrainOptions): Promise<void>;
  stats(): GatewayStats;
}

/** Everything the HTTP side stands on. `compose` makes it; making it opens nothing that `stop` does not close. */
export interface Services extends Service {
  readonly config: Config;
  readonly logger: Logger;
  readonly metrics: PrometheusMetrics;
  readonly pool: Pool;
  readonly verifier: TokenVerifier;
  readonly documents: DocumentStore;
  readonly log: Pick<UpdateLog, 'readUpdates' | 'readState'>;
  readonly roles: RoleTable;
  readonly tenantRoles: TenantRoles;
  readonly grants: GrantStore;
  readonly bindings: Pick<ClientBindings, 'removeAll'>;
  readonly gate: Pick<Gate, 'resolve' | 'visible'>;
  readonly audit: Pick<AuditLog, 'record' | 'recordIn' | 'list'>;
  readonly administration: Administration;
  readonly gateway: GatewayPort;
  /** Those that a page or a socket was refused for, each told once. */
  readonly refusedOrigins: RefusedOrigins;
  readonly collaboration: CollaborationPort;
  readonly cluster: Pick<ClusterStatus, 'read'>;
  health(): HealthReport;
}
