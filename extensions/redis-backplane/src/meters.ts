import type { Metrics } from '@weft/common';

export type DropReason = 'away' | 'backlog' | 'malformed' | 'too-large' | 'failed' | 'handler';

export function createMeters(metrics: Metrics) {
  return {
    published: metrics.counter('weft_backplane_published_total', 'Messages published to other instances', [
      'kind',
    ]),
    publishedBytes: metrics.counter('weft_backplane_published_bytes_total', 'Bytes published', ['kind']),
    skipped: metrics.counter(
      'weft_backplane_skipped_total',
      'Messages not published because no other instance has the document open',
      ['kind'],
    ),
    received: metrics.counter('weft_backplane_received_total', 'Messages of other instances', ['kind']),
    dropped: metrics.counter('weft_backplane_dropped_total', 'Messages dropped', ['reason']),
    connected: metrics.gauge('weft_backplane_connected', '1 while messages come through Redis'),
    reconnects: metrics.counter('weft_backplane_reconnects_total', 'Times that Redis came back'),
  };
}

export type Meters = ReturnType<typeof createMeters>;
