import type { ErrorCode, Metrics } from '@weft/common';

/** The gateway's series. */
export class GatewayMetrics {
  readonly connections;
  readonly sessions;
  readonly documents;
  readonly updates;
  readonly acknowledged;
  readonly throttled;
  private readonly syncs;
  private readonly refused;

  constructor(metrics: Metrics) {
    this.connections = metrics.gauge('weft_connections', 'Open WebSocket connections.');
    this.sessions = metrics.gauge('weft_sessions', 'Open document sessions.');
    this.documents = metrics.gauge('weft_documents', 'Documents in memory.');
    this.updates = metrics.counter('weft_updates_received_total', 'Updates that were authorized.');
    this.acknowledged = metrics.counter(
      'weft_updates_acknowledged_total',
      'Updates that were acknowledged as saved.',
    );
    this.throttled = metrics.counter(
      'weft_updates_throttled_total',
      'Updates that waited for their rate limit.',
    );
    this.syncs = metrics.counter(
      'weft_syncs_total',
      'Questions of clients for what they lack, by what was sent.',
      ['answer'],
    );
    this.refused = metrics.counter('weft_refusals_total', 'What was refused, by error code.', ['code']);
  }

  /** `completion`: deletions that somebody turned out to lack besides. */
  synced(answer: 'state' | 'recent' | 'log' | 'difference' | 'completion'): void {
    this.syncs.inc({ answer });
  }

  refusal(code: ErrorCode): void {
    this.refused.inc({ code });
  }
}
