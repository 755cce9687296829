import type { Cluster, Redis } from 'ioredis';
import { WATCHED, type PostedReport, type ReportBoard } from './board.ts';
import { parseReport, type InstanceReport } from './report.ts';

export interface RedisBoardOptions {
  /** Makes a connection that is not connected yet and whose commands end by themselves when Redis hangs. */
  readonly connect: () => Redis | Cluster;
  /** Begins every key. */
  readonly prefix: string;
}

/** Milliseconds that a report is kept: long enough to see who has just died. */
const KEPT = 60_000;
/** Of these the newest: whoever can write to this Redis cannot make the answer larger. */
const MAX_INSTANCES = 500;

/** One key per report, which Redis drops by itself, and a set of their names, so that nothing has to be searched for. */
export class RedisBoard implements ReportBoard {
  private readonly client: Redis | Cluster;
  private readonly names: string;
  private readonly watched: string;
  private readonly keyOf: (id: string) => string;

  constructor({ connect, prefix }: RedisBoardOptions) {
    this.client = connect();
    this.client.on('error', () => undefined);
    this.client.connect().catch(() => undefined);
    // The braces keep all of it on one node of a Redis Cluster.
    this.names = `${prefix}{cluster}:instances`;
    this.watched = `${prefix}{cluster}:watched`;
    this.keyOf = (id) => `${prefix}{cluster}:instance:${id}`;
  }

  async post(report: InstanceReport): Promise<boolean> {
    const now = Date.now();
    const results = await this.client
      .pipeline()
      .exists(this.watched)
      .set(this.keyOf(report.id), JSON.stringify(report), 'PX', KEPT)
      .zadd(this.names, now, report.id)
      // Names are removed much later than their keys: these times are of clocks that may differ.
      .zremrangebyscore(this.names, 0, now - 10 * KEPT)
      .exec();
    const [watched] = failFirst(results);
    return watched === 1;
  }

  async list(): Promise<PostedReport[]> {
    const looked = await this.client
      .pipeline()
      .zrevrange(this.names, 0, MAX_INSTANCES - 1)
      .set(this.watched, '', 'PX', WATCHED)
      .exec();
    const ids = failFirst(looked)[0] as string[];
    if (ids.length === 0) return [];
    const pipeline = this.client.pipeline();
    for (const id of ids) pipeline.get(this.keyOf(id)).pttl(this.keyOf(id));
    const results = failFirst(await pipeline.exec());
    return ids.flatMap((id, index) => {
      const text = results[2 * index];
      const left = Number(results[2 * index + 1]);
      const report = typeof text === 'string' ? parseReport(text) : undefined;
      return report?.id === id ? [{ report, age: Math.max(0, KEPT - left) }] : [];
    });
  }

  async remove(id: string): Promise<void> {
    await this.client.pipeline().del(this.keyOf(id)).zrem(this.names, id).exec();
  }

  close(): void {
    this.client.disconnect();
  }
}

function failFirst(results: readonly (readonly [Error | null, unknown])[] | null): unknown[] {
  return (results ?? []).map(([error, value]) => {
    if (error) throw error;
    return value;
  });
}
