import type { InstanceReport } from './report.ts';

export interface PostedReport {
  readonly report: InstanceReport;
  /** Milliseconds since it was posted, by the clock of the board: instances' clocks differ. */
  readonly age: number;
}

/** Where instances post what they say of themselves, each over its last one. */
export interface ReportBoard {
  /** @throws when the board cannot be reached */
  post(report: InstanceReport): Promise<void>;
  /** Those that are not older than a minute. @throws when the board cannot be reached */
  list(): Promise<PostedReport[]>;
  /** The instance ends on purpose. */
  remove(id: string): Promise<void>;
  close(): void;
}

/** Of a single instance. */
export class MemoryBoard implements ReportBoard {
  private posted: { readonly report: InstanceReport; readonly at: number } | undefined;

  async post(report: InstanceReport): Promise<void> {
    this.posted = { report, at: performance.now() };
  }

  async list(): Promise<PostedReport[]> {
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
