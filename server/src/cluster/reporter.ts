import { everyBeat, type Clock, type Cursor, type DocumentKey, type Service } from '@weft/common';
import type { ReportBoard } from './board.ts';
import { MAX_REPORTED_DOCUMENTS, type DocumentReport, type InstanceReport } from './report.ts';
import { Window } from './window.ts';

export interface OpenDocument {
  readonly key: DocumentKey;
  /** The log's own number of it. */
  readonly id: number;
  readonly sessions: number;
  readonly cursor: Cursor;
}

/** Readings of series that only grow. */
export interface Series {
  readonly updates: number;
  readonly commits: readonly { readonly bound: number; readonly count: number }[];
}

/** What a report is made of. */
export interface ReportSources {
  state(): InstanceReport['state'];
  redis(): InstanceReport['redis'];
  stats(): { readonly connections: number; readonly sessions: number; readonly documents: number };
  openDocuments(): Iterable<OpenDocument>;
  heads(
    ids: readonly number[],
  ): Promise<ReadonlyMap<number, { readonly epoch: number; readonly head: number }>>;
  series(): Promise<Series>;
}

export interface ReporterOptions {
  readonly instance: string;
  readonly version: string;
  readonly sources: ReportSources;
  readonly board: ReportBoard;
  readonly clock: Clock;
}

/** Milliseconds between two reports while somebody looks at them. */
const INTERVAL = 1_000;
/**
 * The same while nobody does: so old is what the first look shows. Making a report and posting it is a tenth of what an
 * idle instance does in a second, and more than Redis carries for a document that is slowly typed in.
 */
const UNWATCHED_INTERVAL = 3_000;
/** Milliseconds of the past that rates and quantiles are of. */
const SPAN = 10_000;
/** Milliseconds that the heads may take: a report without them is better than none. */
const HEADS_TIMEOUT = 500;

/** Posts how this instance is, again and again. Failing to is no event: it soon tries again. */
export class Reporter implements Service {
  private readonly options: ReporterOptions;
  private readonly startedAt: number;
  private window: Window | undefined;
  private stopBeats: (() => void) | undefined;
  private posting: Promise<void> | undefined;
  private stopped = false;
  private watched = false;
  private latest: InstanceReport | undefined;

  constructor(options: ReporterOptions) {
    this.options = options;
    this.startedAt = options.clock.now();
  }

  /** The newest of this instance, also while the board is away. */
  get report(): InstanceReport | undefined {
    return this.latest;
  }

  async start(): Promise<void> {
    await this.post();
    if (this.stopped) return;
    this.stopBeats = everyBeat(
      () => (this.watched ? INTERVAL : UNWATCHED_INTERVAL),
      () => this.post(),
    );
  }

  async stop(): Promise<void> {
    this.stopped = true;
    this.stopBeats?.();
    await this.posting;
    await this.options.board.remove(this.options.instance).catch(() => undefined);
    this.options.board.close();
  }

  /** Never rejects. */
  private post(): Promise<void> {
    this.posting = this.postOnce();
    return this.posting;
  }

  private async postOnce(): Promise<void> {
    try {
      this.latest = await this.make();
      this.watched = await this.options.board.post(this.latest);
    } catch {
      // The state of Redis is in the report itself, on the status page and in the metrics.
    }
  }

  private async make(): Promise<InstanceReport> {
    const { instance, version, sources } = this.options;
    const window = await this.read();
    const open = await this.openDocuments();
    const lags = open.flatMap(({ head, seq }) => (head === null ? [] : [Math.max(0, head - seq)]));
    return {
      id: instance,
      version,
      startedAt: this.startedAt,
      state: sources.state(),
      redis: sources.redis(),
      ...sources.stats(),
      updatesPerSecond: window.updatesPerSecond,
      commitP50: inMilliseconds(window.commitQuantile(0.5)),
      commitP99: inMilliseconds(window.commitQuantile(0.99)),
      lag: lags.length < open.length ? null : Math.max(0, ...lags),
      cpu: window.cpu,
      memoryBytes: process.memoryUsage.rss(),
      open,
    };
  }

  private async read(): Promise<Window> {
    const { updates, commits } = await this.options.sources.series();
    this.window ??= new Window({ span: SPAN, bounds: commits.map(({ bound }) => bound) });
    const { user, system } = process.cpuUsage();
    const counts = commits.map(({ count }) => count);
    this.window.add({ at: performance.now(), updates, cpu: user + system, commits: counts });
    return this.window;
  }

  private async openDocuments(): Promise<DocumentReport[]> {
    const { sources } = this.options;
    const ids = this.busiest().map(({ id }) => id);
    const heads = ids.length === 0 ? undefined : await withTimeout(sources.heads(ids), HEADS_TIMEOUT);
    // The positions after the heads: a document that is being written would otherwise always seem to lag.
    return this.busiest().map(({ key, id, sessions, cursor }) => {
      const found = heads?.get(id);
      const head = found?.epoch === cursor.epoch ? found.head : null;
      return { key, sessions, epoch: cursor.epoch, seq: cursor.seq, head };
    });
  }

  private busiest(): OpenDocument[] {
    return [...this.options.sources.openDocuments()]
      .sort((one, other) => other.sessions - one.sessions)
      .slice(0, MAX_REPORTED_DOCUMENTS);
  }
}

function inMilliseconds(seconds: number | null): number | null {
  return seconds === null ? null : seconds * 1_000;
}

/** `undefined` when it fails or is not there in time. */
async function withTimeout<T>(promise: Promise<T>, milliseconds: number): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), milliseconds);
  });
  return Promise.race([promise.catch(() => undefined), late]).finally(() => clearTimeout(timer));
}
