import { pruneAudit } from '@weft/audit';
import { RememberedClaims } from '@weft/authorize';
import { everyBeat, type Counter, type Logger, type Metrics, type Service } from '@weft/common';
import type { Database } from '@weft/postgres';
import type { Config } from './config.ts';

export interface HousekeepingOptions {
  readonly config: Pick<Config, 'auditRetention'>;
  readonly database: Pick<Database, 'pool'>;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

const INTERVAL_MS = 3_600_000;
const ROWS_PER_DELETE = 1_000;

/** Removes at most so many rows, and says how many: fewer when it is done. */
type Removal = (limit: number) => Promise<number>;

/**
 * Once an hour removes what has had its time in the tables that belong to no document; the compactor does so in the
 * history. Runs in any number of processes at once: each passes over the rows that another has in hand.
 */
export class Housekeeping implements Service {
  private readonly logger: Logger;
  private readonly removals: Readonly<Record<string, Removal>>;
  private readonly removed: Counter;
  private readonly rounds: Counter;
  private round: Promise<void> | undefined;
  private stopBeats: (() => void) | undefined;
  private stopped = false;
  private lastFailed = false;

  constructor({ config, database: { pool }, logger, metrics }: HousekeepingOptions) {
    this.logger = logger;
    const claims = new RememberedClaims({ pool });
    const { auditRetention: age } = config;
    this.removals = {
      remembered_claims: (limit) => claims.removeEnded(limit),
      ...(age !== Infinity && { audit: (limit: number) => pruneAudit(pool, { age, limit }) }),
    };
    this.removed = metrics.counter(
      'weft_housekeeping_removed_rows_total',
      'Rows whose time was over, by table.',
      ['table'],
    );
    this.rounds = metrics.counter('weft_housekeeping_rounds_total', 'Looks for old rows.', ['result']);
  }

  /** Whether the last look could not be finished. */
  get failing(): boolean {
    return this.lastFailed;
  }

  async start(): Promise<void> {
    this.stopped = false;
    this.stopBeats = everyBeat(INTERVAL_MS, () => this.run());
    void this.run();
  }

  async stop(): Promise<void> {
    this.stopped = true;
    this.stopBeats?.();
    await this.round;
  }

  /** One look at each table. Never rejects: what fails is logged and tried again in an hour. */
  run(): Promise<void> {
    this.round ??= this.look().finally(() => (this.round = undefined));
    return this.round;
  }

  private async look(): Promise<void> {
    let failed = false;
    for (const [table, remove] of Object.entries(this.removals)) {
      if (!(await this.clear(table, remove))) failed = true;
    }
    this.lastFailed = failed;
    this.rounds.inc({ result: this.lastFailed ? 'failed' : 'ok' });
  }

  /** Resolves to whether the table could be cleared. */
  private async clear(table: string, remove: Removal): Promise<boolean> {
    let rows = 0;
    let cleared = true;
    try {
      for (let more = true; more && !this.stopped;) {
        const gone = await remove(ROWS_PER_DELETE);
        this.removed.inc({ table }, gone);
        rows += gone;
        more = gone === ROWS_PER_DELETE;
      }
    } catch (error) {
      cleared = false;
      this.logger.warn({ err: error, table }, 'old rows could not be removed');
    }
    if (rows > 0) this.logger.info({ table, rows }, 'old rows removed');
    return cleared;
  }
}
