import type { Clock } from '@weft/common';
import type { TokenBucketOptions } from '@weft/limits';
import type { GatewayLimits } from '../limits.ts';

/** What one session may send, by kind. Shared by the buckets of all sessions. */
export type SessionRates = Readonly<
  Record<'updates' | 'awareness' | 'syncs' | 'repairs', TokenBucketOptions>
>;

/** Each first sync may cost an encoding of the document; honest clients sync once per connection. */
const SYNCS = { rate: 1, burst: 10 };
/** Each repair is a row for everybody: enough for edits that were on their way, too few to fill a log. */
const REPAIRS = { rate: 0.5, burst: 20 };

export function sessionRates(limits: GatewayLimits, clock: Clock): SessionRates {
  return {
    updates: { rate: limits.updatesPerSecond, burst: limits.updateBurst, clock },
    awareness: { rate: limits.awarenessPerSecond, burst: limits.awarenessBurst, clock },
    syncs: { ...SYNCS, clock },
    repairs: { ...REPAIRS, clock },
  };
}
