import type { Server } from 'node:net';
import type { Logger, Metrics } from '@weft/common';

/** Files and connections that are no client's: to the database and Redis, the embedded database's own, what is served. */
const RESERVED = 256;

/**
 * How many files and sockets the system lets this process have open; Infinity where it sets no limit. Node has raised the
 * soft limit to the hard one by then.
 */
export function openFilesLimit(): number {
  const report: NodeJS.ProcessReport & { excludeNetwork?: boolean } = process.report;
  // It would look up the names of all that it is connected to.
  report.excludeNetwork = true;
  const { userLimits } = report.getReport() as {
    userLimits?: { open_files?: { soft?: number | string } };
  };
  const { soft } = userLimits?.open_files ?? {};
  return typeof soft === 'number' ? soft : Infinity;
}

export interface OpenFilesOptions {
  readonly limit: number;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

/**
 * Turns connections away before the system has no more files to give: it would close them without a word in any log,
 * and the next connection to the database with them.
 */
export function reserveOpenFiles(server: Server, { limit, logger, metrics }: OpenFilesOptions): void {
  if (!Number.isFinite(limit)) return;
  const connections = limit - Math.min(RESERVED, Math.ceil(limit / 2));
  const refusals = metrics.counter('weft_refusals_total', 'What was refused, by error code.', ['code']);
  server.maxConnections = connections;
  server.on('drop', () => {
    refusals.inc({ code: 'server-overloaded' });
    logger.warn(
      { connections, limit },
      'connections are turned away: this process may not open more files (ulimit -n)',
    );
  });
}
