/** How finely a window slides. */
const SLICES = 10;

/**
 * Counts of the last so many milliseconds, in slices: a window slides by a tenth of its length at a time, and costs the same however
 * much is counted. What was counted is forgotten after at least nine tenths of the window and at most all of it.
 */
export class SlidingCounts {
  readonly #sliceMs: number;
  readonly #counts: Float64Array;
  /** The slice that time has reached, from the origin of the clock. */
  #slice = Number.NEGATIVE_INFINITY;
  #total = 0;

  constructor(windowMs: number) {
    this.#sliceMs = windowMs / SLICES;
    this.#counts = new Float64Array(SLICES);
  }

  /** @param nowMs of a clock that never steps backwards */
  add(nowMs: number, count = 1): void {
    this.#slide(nowMs);
    this.#counts[this.#slice % SLICES] += count;
    this.#total += count;
  }

  /** What was counted within the window. */
  total(nowMs: number): number {
    this.#slide(nowMs);
    return this.#total;
  }

  clear(): void {
    this.#counts.fill(0);
    this.#total = 0;
  }

  #slide(nowMs: number): void {
    const slice = Math.floor(nowMs / this.#sliceMs);
    if (slice <= this.#slice) return;
    if (slice - this.#slice >= SLICES) this.clear();
    else {
      for (let passed = this.#slice + 1; passed <= slice; passed++) {
        this.#total -= this.#counts[passed % SLICES];
        this.#counts[passed % SLICES] = 0;
      }
    }
    this.#slice = slice;
  }
}
