/** What `native/histogram.h` prints: counts in logarithmic buckets, empty ones left out. */
export interface HistogramReport {
  readonly maximum: number;
  readonly buckets: readonly (readonly [index: number, count: number])[];
}

const STEPS = 64;

/** The bucket of a whole number: 64 buckets to each power of two, so that a percentile is at most 1.6 % off. */
export function bucketOf(value: number): number {
  if (value < STEPS) return value;
  const shift = Math.floor(Math.log2(value)) - 6;
  return STEPS * shift + Math.floor(value / 2 ** shift);
}

/** The largest value that falls into a bucket. */
export function bucketEnd(index: number): number {
  if (index < 2 * STEPS) return index;
  const shift = Math.floor(index / STEPS) - 1;
  return (index - STEPS * shift + 1) * 2 ** shift - 1;
}

/** Counts of values, merged from any number of load processes. */
export class Histogram {
  readonly #counts = new Map<number, number>();
  #maximum = 0;
  #total = 0;

  static from(report: HistogramReport): Histogram {
    const histogram = new Histogram();
    histogram.merge(report);
    return histogram;
  }

  record(value: number): void {
    this.merge({ maximum: value, buckets: [[bucketOf(value), 1]] });
  }

  merge(report: HistogramReport): void {
    for (const [index, count] of report.buckets) {
      this.#counts.set(index, (this.#counts.get(index) ?? 0) + count);
      this.#total += count;
    }
    this.#maximum = Math.max(this.#maximum, report.maximum);
  }

  /** Takes in all that another one counts. */
  add(other: Histogram): void {
    this.merge({ maximum: other.#maximum, buckets: [...other.#counts] });
  }

  get total(): number {
    return this.#total;
  }

  get maximum(): number {
    return this.#maximum;
  }

  /** The value that `percent` of all values do not exceed; 0 if there is none. */
  percentile(percent: number): number {
    const wanted = Math.ceil((this.#total * percent) / 100);
    let seen = 0;
    for (const index of [...this.#counts.keys()].sort((a, b) => a - b)) {
      seen += this.#counts.get(index) ?? 0;
      if (seen >= wanted) return Math.min(bucketEnd(index), this.#maximum);
    }
    return this.#maximum;
  }
}
