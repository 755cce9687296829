import type { Counter, Gauge, Histogram, Metrics } from '@weft/common';
import * as prometheus from 'prom-client';
import { watchEventLoop } from './event-loop.ts';

/** The {@link Metrics} port on a Prometheus registry. */
export interface PrometheusMetrics extends Metrics {
  /** Read when the metrics are read: for what is known anyway and need not be kept twice. */
  gaugeOf(name: string, help: string, read: () => number): void;
  /** What a series says now, one value per set of labels; none when there is no such series. */
  read(name: string): Promise<readonly MetricValue[]>;
  /** The exposition format, and its content type. */
  exposition(): Promise<{ readonly contentType: string; readonly body: string }>;
}

export interface MetricValue {
  readonly value: number;
  /** The bound of a histogram's bucket is `le`. */
  readonly labels: Readonly<Partial<Record<string, string | number>>>;
}

export interface PrometheusOptions {
  /** Goes as the label `instance_id` on every series. */
  readonly instance: string;
}

/** What prom-client tells of the event loop, which it can watch by waking it up only. */
const SAMPLED_TURNS = ['min', 'max', 'mean', 'stddev', 'p50', 'p90', 'p99'].map(lagName);
/** Milliseconds: the longest that a timer of Node's takes. */
const NEVER = 2 ** 31 - 1;

export function createMetrics({ instance }: PrometheusOptions): PrometheusMetrics {
  const registry = new prometheus.Registry();
  registry.setDefaultLabels({ instance_id: instance });
  prometheus.collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: NEVER });
  for (const name of SAMPLED_TURNS) registry.removeSingleMetric(name);
  tellTurns(registry);
  return {
    counter: (name, help, labelNames = []) => counter(registry, { name, help, labelNames }),
    gauge: (name, help, labelNames = []) => gauge(registry, { name, help, labelNames }),
    histogram: (name, help, buckets, labelNames = []) =>
      histogram(registry, { name, help, labelNames, buckets: [...buckets] }),
    gaugeOf(name, help, read) {
      const registers = [registry];
      new prometheus.Gauge({
        name,
        help,
        registers,
        collect() {
          this.set(read());
        },
      });
    },
    read: async (name) => (await registry.getSingleMetric(name)?.get())?.values ?? [],
    exposition: async () => ({ contentType: registry.contentType, body: await registry.metrics() }),
  };
}

function lagName(figure: string): string {
  return `nodejs_eventloop_lag_${figure}_seconds`;
}

function tellTurns(registry: prometheus.Registry): void {
  const turns = watchEventLoop();
  const registers = [registry];
  const longest = new prometheus.Gauge({
    name: lagName('max'),
    help: 'The longest turn of the event loop since this was last read',
    registers,
    // It is read first, and sets the others.
    collect() {
      const { max, mean: average, p99: most } = turns();
      longest.set(max);
      mean.set(average);
      p99.set(most);
    },
  });
  const mean = new prometheus.Gauge({
    name: lagName('mean'),
    help: 'The mean turn of the event loop since this was last read',
    registers,
  });
  const p99 = new prometheus.Gauge({
    name: lagName('p99'),
    help: 'What 99 % of the turns of the event loop stayed below since this was last read',
    registers,
  });
}

interface Series {
  readonly name: string;
  readonly help: string;
  readonly labelNames: readonly string[];
}

/** Asked for twice by one name, a series is the same one: two parts of the server may count the same thing. */
function existing<T extends prometheus.Metric>(
  registry: prometheus.Registry,
  name: string,
  kind: new (...args: never[]) => T,
): T | undefined {
  const found = registry.getSingleMetric(name);
  if (found === undefined || found instanceof kind) return found;
  throw new Error(`The metric ${name} exists as something else.`);
}

function counter(registry: prometheus.Registry, { name, help, labelNames }: Series): Counter {
  const metric =
    existing(registry, name, prometheus.Counter) ??
    new prometheus.Counter({ name, help, labelNames: [...labelNames], registers: [registry] });
  return { inc: (labels = {}, by = 1) => metric.inc(labels, by) };
}

function gauge(registry: prometheus.Registry, { name, help, labelNames }: Series): Gauge {
  const metric =
    existing(registry, name, prometheus.Gauge) ??
    new prometheus.Gauge({ name, help, labelNames: [...labelNames], registers: [registry] });
  return { set: (value, labels = {}) => metric.set(labels, value) };
}

function histogram(
  registry: prometheus.Registry,
  { name, help, labelNames, buckets }: Series & { readonly buckets: number[] },
): Histogram {
  const metric =
    existing(registry, name, prometheus.Histogram) ??
    new prometheus.Histogram({ name, help, buckets, labelNames: [...labelNames], registers: [registry] });
  return { observe: (value, labels = {}) => metric.observe(labels, value) };
}
