import { createRequire } from 'node:module';
import type { Clock, DocumentKey, Service } from '@weft/common';
import type { Cluster, Redis } from 'ioredis';
import type { Gateway } from '../gateway/gateway.ts';
import type { PresenceEntry } from '../collaboration.ts';
import type { PrometheusMetrics } from '../telemetry/metrics.ts';
import { MemoryBoard } from './board.ts';
import { ClusterStatus } from './cluster-view.ts';
import { RedisBoard } from './redis-board.ts';
import { Reporter, type ReportSources, type Series } from './reporter.ts';

export { type ClusterView, ClusterStatus } from './cluster-view.ts';

const { version } = createRequire(import.meta.url)('../../package.json') as { version: string };

export interface ClusterReportOptions {
  readonly instance: string;
  readonly gateway: Pick<Gateway, 'isDraining' | 'stats' | 'openDocuments'>;
  /** Where the log stands. */
  readonly heads: ReportSources['heads'];
  readonly metrics: PrometheusMetrics;
  readonly clock: Clock;
  readonly presence: (key: DocumentKey) => Promise<readonly PresenceEntry[]>;
  /** The database does not answer, or takes nothing. */
  readonly degraded: () => boolean;
  /** None: a single instance. */
  readonly redis:
    | { readonly connect: () => Redis | Cluster; readonly prefix: string; readonly connected: () => boolean }
    | undefined;
}

export interface ClusterReports {
  readonly reporter: Service;
  readonly status: ClusterStatus;
}

/** This instance's own reports, and the view of everybody's. */
export function createClusterReports(options: ClusterReportOptions): ClusterReports {
  const { instance, clock, presence, redis } = options;
  const board = redis ? new RedisBoard(redis) : new MemoryBoard();
  const reporter = new Reporter({ instance, version, sources: sourcesOf(options), board, clock });
  return { reporter, status: new ClusterStatus({ board, own: () => reporter.report, presence }) };
}

function sourcesOf({ gateway, heads, metrics, degraded, redis }: ClusterReportOptions): ReportSources {
  return {
    state: () => {
      if (gateway.isDraining) return 'draining';
      return degraded() ? 'degraded' : 'ready';
    },
    redis: () => {
      if (!redis) return 'none';
      return redis.connected() ? 'connected' : 'away';
    },
    stats: () => gateway.stats(),
    openDocuments: () => gateway.openDocuments(),
    heads,
    series: () => readSeries(metrics),
  };
}

async function readSeries(metrics: PrometheusMetrics): Promise<Series> {
  const [updates, commits] = await Promise.all([
    metrics.read('weft_updates_received_total'),
    metrics.read('weft_log_commit_seconds'),
  ]);
  return {
    updates: updates.reduce((sum, { value }) => sum + value, 0),
    commits: commits
      .filter(({ labels }) => labels.le !== undefined)
      .map(({ labels, value }) => ({
        bound: Number(String(labels.le).replace('+Inf', 'Infinity')),
        count: value,
      })),
  };
}
