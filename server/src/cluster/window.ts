/** One reading of series that only grow. */
export interface Reading {
  /** Milliseconds on a clock that only goes forward. */
  readonly at: number;
  readonly updates: number;
  /** Microseconds of CPU time. */
  readonly cpu: number;
  /** Observations at or below each bound of a histogram, in its order; the last bound is infinite. */
  readonly commits: readonly number[];
}

/** The last seconds of growing series, as rates and quantiles. */
export class Window {
  private readonly span: number;
  private readonly bounds: readonly number[];
  private readonly readings: Reading[] = [];

  /**
   * @param span milliseconds; two readings that are further apart are kept all the same
   * @param bounds of the histogram; the quantiles are in its unit
   */
  constructor({ span, bounds }: { readonly span: number; readonly bounds: readonly number[] }) {
    this.span = span;
    this.bounds = bounds;
  }

  add(reading: Reading): void {
    this.readings.push(reading);
    while (this.readings.length > 2 && reading.at - (this.readings[0]?.at ?? 0) > this.span)
      this.readings.shift();
  }

  get updatesPerSecond(): number {
    return this.growth(({ updates }) => updates) * 1_000;
  }

  /** Share of one core. */
  get cpu(): number {
    return this.growth(({ cpu }) => cpu) / 1_000;
  }

  /** Per millisecond. */
  private growth(of: (reading: Reading) => number): number {
    const [first, last] = [this.readings[0], this.readings.at(-1)];
    if (!first || !last || last.at <= first.at) return 0;
    return (of(last) - of(first)) / (last.at - first.at);
  }

  /** Interpolated within its bucket, as Prometheus' `histogram_quantile` does; `null` when nothing was observed. */
  commitQuantile(share: number): number | null {
    const [first, last] = [this.readings[0], this.readings.at(-1)];
    if (!first || !last) return null;
    const counts = last.commits.map((value, index) => value - (first.commits[index] ?? 0));
    const total = counts.at(-1) ?? 0;
    if (total <= 0) return null;
    const rank = share * total;
    const index = counts.findIndex((value) => value >= rank);
    const upper = this.bounds[index] ?? Infinity;
    const lower = this.bounds[index - 1] ?? 0;
    if (!Number.isFinite(upper)) return lower;
    const below = counts[index - 1] ?? 0;
    const inside = (counts[index] ?? 0) - below;
    return lower + (upper - lower) * (inside > 0 ? (rank - below) / inside : 1);
  }
}
