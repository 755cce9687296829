import type { Counter, Gauge, Histogram, Metrics } from '@weft/common';

/** What the log tells about itself. */
export interface LogMeters {
  readonly commitSeconds: Histogram;
  readonly batchRows: Histogram;
  readonly rows: Counter;
  readonly failures: Counter;
  readonly pendingBytes: Gauge;
}

export function createMeters(metrics: Metrics): LogMeters {
  return {
    commitSeconds: metrics.histogram(
      'weft_log_commit_seconds',
      'Time from sending a batch to its commit.',
      [0.0005, 0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5, 30],
    ),
    batchRows: metrics.histogram(
      'weft_log_batch_rows',
      'Rows written by one transaction.',
      [1, 2, 5, 10, 25, 50, 100, 250, 500, 1_000],
    ),
    rows: metrics.counter('weft_log_rows_total', 'Rows committed to the log.'),
    failures: metrics.counter('weft_log_failures_total', 'Batches that failed, by what was done then.', [
      'class',
    ]),
    pendingBytes: metrics.gauge('weft_log_pending_bytes', 'Bytes appended and not yet committed.'),
  };
}
