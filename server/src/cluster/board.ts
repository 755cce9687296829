import type { InstanceReport } from './report.ts';

export interface PostedReport {
  readonly report: InstanceReport;
  /** Milliseconds since it was posted, by the clock of the board: instances' clocks differ. */
  readonly age: number;
}

/** Milliseconds for which one look at the board keeps its reports coming every second. */
export const WATCHED = 10_000;

/** Where instances post what they say of themselves, each over its last one. */
export interface ReportBoard {
  /** @returns whether anybody has looked at the board within {@link WATCHED}. @throws when it cannot be reached */
  post(report: InstanceReport): Promise<boolean>;
  /** Looks at those that are not older than a minute. @throws when the board cannot be reached */
  list(): Promise<PostedReport[]>;
  /** The instance ends on purpose. */
  remove(id: string): Promise<void>;
  close(): void;
}

/** Of a single instance. */
export class MemoryBoard implements ReportBoard {
  private posted: { readonly report: InstanceReport; readonly at: number } | undefined;
  private watchedUntil = 0;

  async post(report: InstanceReport): Promise<boolean> {
    const at = performance.now();
    this.posted = { report, at };
    return at < this.watchedUntil;
  }

  async list(): Promise<PostedReport[]> {
    this.watchedUntil = performance.now() + WATCHED;
    if (!this.posted) return [];
    return [{ report: this.posted.report, age: performance.now() - this.posted.at }];
  }

  async remove(): Promise<void> {
    this.posted = undefined;
  }

  close(): void {
    this.posted = undefined;
  }
}
