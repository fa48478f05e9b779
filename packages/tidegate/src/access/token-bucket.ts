import type { Clock } from '../kernel/index.ts';

/** What is missing by rounding is not missing. */
const ROUNDING = 1e-6;

/** A rate with a burst of one second: a bucket that begins full, holds what one second brings, and fills at that rate. */
export class TokenBucket {
  readonly #clock: Clock;
  readonly #perSecond: number;
  #level: number;
  #filledMs: number;

  constructor(clock: Clock, perSecond: number) {
    this.#clock = clock;
    this.#perSecond = perSecond;
    this.#level = perSecond;
    this.#filledMs = clock.monotonicMs();
  }

  /** Takes one, if there is one. */
  take(): boolean {
    this.#fill();
    if (this.#level < 1 - ROUNDING) return false;
    this.#level--;
    return true;
  }

  /** Takes what has been used already, on credit if there is too little. Returns whether there was enough. */
  spend(amount: number): boolean {
    this.#fill();
    this.#level -= amount;
    return this.#level > -ROUNDING;
  }

  /** In how many whole milliseconds the bucket holds this much; 0 if it does now. */
  waitMs(amount: number): number {
    this.#fill();
    const missing = amount - ROUNDING - this.#level;
    return missing <= 0 ? 0 : Math.ceil((missing / this.#perSecond) * 1000);
  }

  #fill(): void {
    const nowMs = this.#clock.monotonicMs();
    const filled = this.#level + ((nowMs - this.#filledMs) / 1000) * this.#perSecond;
    this.#level = Math.min(this.#perSecond, filled);
    this.#filledMs = nowMs;
  }
}
