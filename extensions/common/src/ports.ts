import type { CommittedUpdate } from './update.ts';

/** A structured logger; pino fits as it is. */
export interface Logger {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

export const silentLogger: Logger = { debug() {}, info() {}, warn() {}, error() {} };

/** Time, injected so that tests own it. */
export interface Clock {
  /** Milliseconds since 1970. */
  now(): number;
}

export const systemClock: Clock = { now: () => Date.now() };

/**
 * For how long something has been: it only goes forward, also when somebody sets the time of the machine. Then what it says
 * is no longer the time of day.
 */
export const steadyClock: Clock = { now: () => Math.floor(performance.timeOrigin + performance.now()) };

/** A number that only grows. Labels are the field's Prometheus labels; keep their values few. */
export interface Counter {
  inc(labels?: Record<string, string>, by?: number): void;
}
/** A number that goes up and down. */
export interface Gauge {
  set(value: number, labels?: Record<string, string>): void;
}
/** A distribution, in the unit its name ends with (`_seconds`, `_bytes`). */
export interface Histogram {
  observe(value: number, labels?: Record<string, string>): void;
}

export interface Metrics {
  counter(name: string, help: string, labelNames?: readonly string[]): Counter;
  gauge(name: string, help: string, labelNames?: readonly string[]): Gauge;
  histogram(
    name: string,
    help: string,
    buckets: readonly number[],
    labelNames?: readonly string[],
  ): Histogram;
}

export const noMetrics: Metrics = {
  counter: () => ({ inc() {} }),
  gauge: () => ({ set() {} }),
  histogram: () => ({ observe() {} }),
};

/** Something that runs until it is stopped. `stop` resolves when nothing of it is left running. */
export interface Service {
  start(): Promise<void>;
  stop(): Promise<void>;
}

export type Unsubscribe = () => void;

/**
 * Database notifications. At most once and possibly late: a hint to look, never the truth itself. Every user
 * also polls.
 */
export interface Notifications {
  listen(channel: string, onPayload: (payload: string) => void): Promise<() => Promise<void>>;
}

/** What is followed of a document's log, as Hocuspocus names the document. Nothing here may throw. */
export interface LogWatcher {
  /** The document has been filled from its log, up to `seq`. */
  opened(
    documentName: string,
    position: {
      readonly id: number;
      readonly epoch: number;
      readonly seq: number;
      readonly policyRev: number;
    },
  ): void;
  /** Rows of this process are durable. */
  committed(documentName: string, rows: readonly CommittedUpdate[]): void;
}
