import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { Config } from './config.ts';
import { developmentSecret } from './development-secret.ts';
import { createApp } from './http/app.ts';
import type { App } from './http/bare-app.ts';
import type { Phase } from './http/health.ts';
import { openFilesLimit, reserveOpenFiles } from './http/open-files.ts';
import { acceptUpgrades, type Upgrades } from './http/upgrade.ts';
import type { Services } from './services.ts';
import { createLogger } from './telemetry/logger.ts';
import { createMetrics, type PrometheusMetrics } from './telemetry/metrics.ts';

export interface Telemetry {
  readonly logger: Logger;
  readonly metrics: PrometheusMetrics;
}

/** Makes the services. May open the database; everything else begins in their `start`. */
export type Compose = (config: Config, telemetry: Telemetry) => Services | Promise<Services>;

export interface RunningServer {
  readonly url: string;
  readonly port: number;
  readonly logger: Logger;
  readonly phase: Phase;
  /** Drains and stops; calling it again waits for the same end. @returns whether all was done in time */
  stop(): Promise<boolean>;
}

/** What a caller may replace: tests bring their own services, programs that embed the server their logger. */
export interface StartOptions {
  readonly compose: Compose;
  readonly telemetry?: Telemetry;
}

/**
 * Listens first and starts the services behind it: probes see a process that is alive and not ready, and while
 * tables are migrated nobody restarts it. Everything else answers `server-starting` until then.
 *
 * @throws when the port is taken or a service cannot start; nothing is left running then
 */
export async function start(given: Config, options: StartOptions): Promise<RunningServer> {
  const config = given.development ? { ...given, jwtSecret: await developmentSecret(given.dataDir) } : given;
  const telemetry = options.telemetry ?? createTelemetry(config);
  telemetry.logger.info({ database: config.databaseUrl ? 'Postgres' : 'PGlite' }, 'starting');
  const services = await options.compose(config, telemetry);
  const server = new Server(services, telemetry.logger);
  await server.start();
  return server;
}

export type TelemetryConfig = Pick<Config, 'logLevel' | 'logFormat' | 'instanceId'>;

export function createTelemetry({ logLevel, logFormat, instanceId }: TelemetryConfig): Telemetry {
  return {
    logger: createLogger({ level: logLevel, format: logFormat, instance: instanceId }),
    metrics: createMetrics({ instance: instanceId }),
  };
}

/**
 * Share of the time for stopping that requests under way have: one that is sent slowly must not take it from what comes
 * after them, which hands people over to the other instances.
 */
const SHARE_OF_REQUESTS = 1 / 5;
/** Milliseconds for clients to answer the goodbye: who is cut while still sending may never read why. */
const GOODBYES = 1_000;

class Server implements RunningServer {
  readonly logger: Logger;
  phase: Phase = 'starting';
  private readonly services: Services;
  private app: App | undefined;
  private upgrades: Upgrades | undefined;
  private stopped: Promise<boolean> | undefined;

  constructor(services: Services, logger: Logger) {
    this.services = services;
    this.logger = logger;
  }

  get port(): number {
    return (this.app?.server.address() as AddressInfo | null)?.port ?? this.services.config.port;
  }

  get url(): string {
    const { host } = this.services.config;
    const everywhere = host === '0.0.0.0' || host === '::' || host === '127.0.0.1';
    const shown = host.includes(':') ? `[${host}]` : host;
    return `http://${everywhere ? 'localhost' : shown}:${this.port}`;
  }

  async start(): Promise<void> {
    const { services, logger } = this;
    const phase = () => this.phase;
    this.app = await createApp({ services, phase });
    reserveOpenFiles(this.app.server, { limit: openFilesLimit(), logger, metrics: services.metrics });
    this.upgrades = acceptUpgrades(this.app.server, { gateway: services.gateway, phase, logger });
    try {
      await this.app.listen({
        host: services.config.host,
        port: services.config.port,
        // Fastify's own words say no less than that it is ready.
        listenTextResolver: (address) => `answers probes at ${address}; not ready yet`,
      });
      await services.start();
    } catch (error) {
      this.phase = 'stopped';
      await this.app.close();
      await services.stop().catch((cause: unknown) => logger.error({ err: cause }, 'cleaning up failed'));
      throw error;
    }
    this.phase = 'ready';
  }

  stop(): Promise<boolean> {
    this.stopped ??= this.drainAndStop();
    return this.stopped;
  }

  /** Each step may fail or hang without keeping the next from its turn: what is left is closed at the deadline. */
  private async drainAndStop(): Promise<boolean> {
    const { config, gateway } = this.services;
    const deadline = AbortSignal.timeout(config.shutdownTimeout);
    const step = (name: string, run: () => Promise<unknown>) => this.step({ name, run, deadline });
    // New sockets are refused from here on; the listener stays open so that the readiness probe gets its answer.
    this.phase = 'draining';
    this.logger.info({ ...gateway.stats() }, 'draining');
    const done = [
      await step('delay', () => delay(config.drainDelay, undefined, { signal: deadline })),
      await step('clients', () => gateway.drain({ spread: config.drainSpread })),
      await step('requests', () => this.closeApp(config.shutdownTimeout * SHARE_OF_REQUESTS)),
      await step('services', () => this.services.stop()),
    ];
    this.phase = 'stopped';
    return done.every(Boolean);
  }

  private async step({ name, run, deadline }: Step): Promise<boolean> {
    try {
      await Promise.race([run(), aborted(deadline)]);
      return true;
    } catch (error) {
      this.logger.error({ err: error, step: name }, 'stopping was not clean');
      return false;
    }
  }

  /** @param patience milliseconds */
  private async closeApp(patience: number): Promise<void> {
    await this.upgrades?.ended(Math.min(GOODBYES, patience));
    this.upgrades?.destroy();
    const cut = setTimeout(() => this.app?.server.closeAllConnections(), patience);
    await this.app?.close().finally(() => clearTimeout(cut));
  }
}

interface Step {
  readonly name: string;
  readonly run: () => Promise<unknown>;
  readonly deadline: AbortSignal;
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    const abort = () => reject(new Error('The deadline for stopping has passed.'));
    if (signal.aborted) abort();
    else signal.addEventListener('abort', abort, { once: true });
  });
}
