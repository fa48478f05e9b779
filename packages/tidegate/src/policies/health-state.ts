/** How many answers in a row change what is believed of a target. */
export interface HealthStateOptions {
  readonly healthyAfter: number;
  readonly unhealthyAfter: number;
}

/**
 * Whether a target is well, by asking it again and again. One that was never asked is believed to be well, so that a server that has just
 * started serves.
 */
export class HealthState {
  readonly #options: HealthStateOptions;
  #healthy = true;
  /** Answers in a row that speak against what is believed. */
  #against = 0;

  constructor(options: HealthStateOptions) {
    this.#options = options;
  }

  get isHealthy(): boolean {
    return this.#healthy;
  }

  /** Takes an answer in; returns whether another thing is believed than before. */
  observe(answer: 'good' | 'bad'): boolean {
    if ((answer === 'good') === this.#healthy) {
      this.#against = 0;
      return false;
    }
    this.#against++;
    const { healthyAfter, unhealthyAfter } = this.#options;
    if (this.#against < (this.#healthy ? unhealthyAfter : healthyAfter)) return false;
    this.#healthy = !this.#healthy;
    this.#against = 0;
    return true;
  }
}
